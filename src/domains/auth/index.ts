export { authDomain } from './domain.ts';
export { createSessionStore } from './store.ts';
