export { type AccountMails, createAccountMails } from './account-mails.ts';
export { authDomain } from './domain.ts';
export { createRefusalRecorder } from './limits.ts';
export { createSeenSessions } from './seen-sessions.ts';
export { createSessionStore, type SessionStore } from './store.ts';
