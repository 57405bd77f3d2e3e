import { BaseDTO } from './dto.ts';
import { Type } from './type.ts';

/** The parameter of a template such as `/sessions/:id`: a UUID as this service writes them, in lower case. */
export const IdParams = BaseDTO({
  id: Type.String({
    format: 'uuid',
    // The format alone would also take upper case, and a `urn:uuid:` in front, which is no value of a database.
    pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    examples: ['7b84c50e-aabd-45ee-9682-ba0c64f005a7'],
  }),
});
