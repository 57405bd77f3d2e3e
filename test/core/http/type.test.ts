import { expect } from 'chai';
import TypeBox from 'typebox';
import { Type } from '../../../src/core/http/type.ts';

/** One of everything that routes are declared with, by either of the two. */
function schemasBy(type: typeof TypeBox) {
  const text = type.String({ minLength: 1, examples: ['a'] });
  return {
    text,
    anything: type.Unknown({ description: 'Whatever it is' }),
    bounded: type.Integer({ minimum: 1, maximum: 9, default: 5 }),
    choice: type.Enum(['one', 'two'], { description: 'One of two' }),
    fixed: type.Literal('Bearer'),
    fixedNumber: type.Literal(3, { title: 'Three' }),
    list: type.Array(text, { maxItems: 3 }),
    map: type.Record(type.String(), type.Boolean()),
    mapByName: type.Record(type.String({ pattern: '^x-' }), type.Number()),
    nullable: type.Union([text, type.Null()], { description: 'Or none' }),
    object: type.Object({ a: text, b: type.Optional(text) }, { additionalProperties: false, title: 'Both' }),
    objectOfOptional: type.Object({ b: type.Optional(type.Integer()) }),
    empty: type.Object({}),
  };
}

describe('Type', () => {
  it('builds what TypeBox builds', () => {
    expect(JSON.stringify(schemasBy(Type as unknown as typeof TypeBox))).to.equal(JSON.stringify(schemasBy(TypeBox)));
  });

  it('takes schemas of TypeBox, and TypeBox takes its own', () => {
    const optional = { a: TypeBox.Optional(TypeBox.String()), b: TypeBox.String() };
    expect(Type.Object(optional)).to.have.property('required').eql(['b']);
    const ours = { a: Type.Optional(Type.String()), b: Type.String() };
    expect(TypeBox.Object(ours)).to.have.property('required').eql(['b']);
  });

  it('leaves a schema as it is that it makes optional', () => {
    const text = Type.String();
    Type.Optional(text);
    expect(Type.Object({ text })).to.have.property('required').eql(['text']);
  });
});
