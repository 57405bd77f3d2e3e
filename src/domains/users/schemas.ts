import Type from 'typebox';
import { BaseDTO } from '../../core/index.ts';

/** A user as the API shows it. */
export const UserView = BaseDTO(
  {
    id: Type.String({ format: 'uuid' }),
    email: Type.String({ format: 'email' }),
    roles: Type.Array(Type.String({ examples: ['user'] })),
    created_at: Type.String({ format: 'date-time' }),
  },
  { title: 'UserView' },
);
