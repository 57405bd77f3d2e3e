/** The domains, one line each. A new one is a folder beside this file and its line here. */

export { activityDomain } from './activity/index.ts';
export { authDomain } from './auth/index.ts';
export { usersDomain } from './users/index.ts';
