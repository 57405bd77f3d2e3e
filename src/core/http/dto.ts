import Type, { type TProperties } from 'typebox';

/** An object schema that refuses fields nobody declared. Its TypeScript type is `Static<typeof schema>`. */
export function BaseDTO<P extends TProperties>(properties: P, options: { description?: string } = {}) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}
