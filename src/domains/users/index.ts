export { usersDomain } from './domain.ts';
export { normalizeEmail } from './email.ts';
export { UserView } from './schemas.ts';
export { createUserStore, type User, type UserStore, type UserWithPassword } from './store.ts';
export { toUserView } from './view.ts';
