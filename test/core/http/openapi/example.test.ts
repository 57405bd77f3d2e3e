import { expect } from 'chai';
import { BaseDTO } from '../../../../src/core/http/dto.ts';
import { exampleOf } from '../../../../src/core/http/openapi/example.ts';
import { Type } from '../../../../src/core/http/type.ts';
import { compileValidator } from '../../../../src/core/http/validation.ts';

describe('the example of a schema', () => {
  it('is the one that the schema brings', () => {
    expect(exampleOf(Type.String({ examples: ['ada@example.org'], default: 'x' }))).to.equal('ada@example.org');
    expect(exampleOf(Type.Integer({ default: 20, minimum: 1 }))).to.equal(20);
  });

  it('is allowed by the schema, whatever is in it', () => {
    const schema = BaseDTO({
      id: Type.String({ format: 'uuid' }),
      at: Type.String({ format: 'date-time' }),
      day: Type.String({ format: 'date' }),
      link: Type.String({ format: 'uri' }),
      long: Type.String({ minLength: 20 }),
      short: Type.String({ maxLength: 2 }),
      count: Type.Integer({ minimum: 3 }),
      share: Type.Number(),
      flag: Type.Boolean(),
      kind: Type.Enum(['a', 'b']),
      fixed: Type.Literal('x'),
      maybe: Type.Union([Type.String(), Type.Null()]),
      none: Type.Null(),
      list: Type.Array(BaseDTO({ n: Type.Integer() }), { minItems: 2 }),
      map: Type.Record(Type.String(), Type.Unknown()),
      left: Type.Optional(Type.String()),
      any: Type.Unknown(),
    });
    const example = exampleOf(schema) as Record<string, unknown>;
    expect(compileValidator('body', schema)(example)).to.deep.equal([]);
    expect(example['list']).to.have.lengthOf(2);
  });
});
