export { authDomain } from './domain.ts';
export { createSeenSessions } from './seen-sessions.ts';
export { createSessionStore, type SessionStore } from './store.ts';
