import { expect } from 'chai';
import fc from 'fast-check';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { forbiddenField, isClosed } from '../../../src/core/http/open-fields.ts';
import { Type } from '../../../src/core/http/type.ts';
import { compileValidator } from '../../../src/core/http/validation.ts';

const map = BaseDTO({ labels: Type.Record(Type.String(), Type.Unknown()) });

describe('a body with a place where any field may occur', () => {
  const validate = compileValidator('body', map);

  for (const name of ['__proto__', 'constructor', 'prototype']) {
    it(`may have no field named ${name}, at any depth`, () => {
      for (const [text, field] of [
        [`{"labels":{"${name}":1}}`, `/body/labels/${name}`],
        [`{"labels":{"a":[0,{"b/c":{"${name}":1}}]}}`, `/body/labels/a/1/b~1c/${name}`],
      ] as const) {
        expect(validate(JSON.parse(text)), text).to.deep.equal([
          { field, message: 'may not be the name of a field', rule: 'propertyNames' },
        ]);
      }
    });
  }

  it('may nest as deep as a body can', () => {
    const depth = 200_000;
    const deep = JSON.parse(`{"labels":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`);
    expect(validate(deep)).to.deep.equal([]);
    const refused = validate(JSON.parse(`{"labels":{"a":${'['.repeat(depth)}{"constructor":1}${']'.repeat(depth)}}}`));
    expect(refused).to.have.lengthOf(1);
  });

  it('takes whatever has none of these names', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        if (!/__proto__|constructor|prototype/.test(text)) expect(forbiddenField(value)).to.equal(undefined);
      }),
    );
  });
});

describe('a schema is closed', () => {
  it('when every field that may occur is named', () => {
    const inner = BaseDTO({ a: Type.String(), b: Type.Optional(Type.Array(Type.Integer())), c: Type.Enum(['x']) });
    for (const schema of [inner, Type.Array(inner), Type.Union([inner, Type.Null()]), Type.Literal('x')]) {
      expect(isClosed(schema), JSON.stringify(schema)).to.equal(true);
    }
  });

  it('not when there is a map, an object without bounds or anything at all in it', () => {
    for (const inside of [
      Type.Record(Type.String(), Type.String()),
      Type.Object({}),
      Type.Unknown(),
      Type.Array(Type.Unknown()),
      Type.Union([Type.String(), Type.Unknown()]),
    ]) {
      expect(isClosed(BaseDTO({ inside })), JSON.stringify(inside)).to.equal(false);
    }
  });
});
