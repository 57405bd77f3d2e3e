export { usersDomain } from './domain.ts';
export { emailProblem, normalizeEmail } from './email.ts';
export { EMAIL_TAKEN, emailTaken, PASSWORDS_BUSY } from './errors.ts';
export { makeAdmin } from './make-admin.ts';
export { Password, UserView } from './schemas.ts';
export { createUserStore, type User, type UserStore, type UserWithPassword } from './store.ts';
export { toUserView } from './view.ts';
