import { BaseDTO, type Static, Type } from '../../core/index.ts';

const user = {
  id: Type.String({ format: 'uuid' }),
  email: Type.String({ format: 'email' }),
  roles: Type.Array(Type.String({ examples: ['user'] })),
  created_at: Type.String({ format: 'date-time' }),
};

/** A user as the API shows it. */
export const UserView = BaseDTO(user, { title: 'UserView' });

/** A user as administrators see it. */
export const AdminUserView = BaseDTO({ ...user, disabled: Type.Boolean() }, { title: 'AdminUserView' });

/**
 * A password as it is sent. Any text is taken for one: which are good enough is checked when one is chosen, and its
 * bytes are counted in the service.
 */
export const Password = Type.String({ maxLength: 1024, examples: ['correct horse battery'] });

export const ChangeEmail = BaseDTO(
  { email: Type.String({ minLength: 1, maxLength: 1024, examples: ['ada@example.org'] }), current_password: Password },
  { title: 'ChangeEmail' },
);
export type ChangeEmail = Static<typeof ChangeEmail>;

export const ChangePassword = BaseDTO(
  { current_password: Password, new_password: Password },
  { title: 'ChangePassword' },
);
export type ChangePassword = Static<typeof ChangePassword>;

export const DeleteAccount = BaseDTO({ current_password: Password }, { title: 'DeleteAccount' });
export type DeleteAccount = Static<typeof DeleteAccount>;

export const ChangeUser = BaseDTO({ disabled: Type.Boolean() }, { title: 'ChangeUser' });
export type ChangeUser = Static<typeof ChangeUser>;

/** Every role that there is. */
export const Role = Type.Enum(['user', 'admin']);

export const ChangeRoles = BaseDTO(
  { roles: Type.Array(Role, { minItems: 1, uniqueItems: true, examples: [['user', 'admin']] }) },
  { title: 'ChangeRoles' },
);
export type ChangeRoles = Static<typeof ChangeRoles>;
