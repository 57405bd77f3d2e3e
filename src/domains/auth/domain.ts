import type { Domain } from '../domain.ts';
import { createUserStore } from '../users/index.ts';
import { createAccountTokenStore } from './account-tokens.ts';
import { createAuthLimits } from './limits.ts';
import { createAccountMailStore } from './mail-queue.ts';
import { createMailTask } from './mail-task.ts';
import { createRecoveryRoutes } from './recovery-routes.ts';
import { createRecoveryService } from './recovery-service.ts';
import { createRetentionTask } from './retention.ts';
import { createAuthRoutes } from './routes.ts';
import { createAuthService } from './service.ts';
import { createSessionRoutes } from './session-routes.ts';
import { createSessionService } from './session-service.ts';
import { authSettings } from './settings.ts';

/** Accounts are made and signed in to; sessions; passwords that were forgotten, addresses that are verified. */
export const authDomain: Domain = {
  migrations: new URL('./migrations', import.meta.url),
  create({ settings, database, sessions, accountMails, passwords, tokens, mailer, activity }) {
    const { accessTokenTtlSeconds, sessionTtlSeconds, projectName } = settings;
    const { resetLink, verifyLink } = authSettings.valuesIn(settings);
    const users = createUserStore(database);
    const limits = createAuthLimits({ settings, users, sessions, activity });
    const common = { database, sessions, tokens, activity, accessTokenTtlSeconds };
    const accountTokens = createAccountTokenStore(database);
    const auth = createAuthService({
      ...common,
      users,
      accountMails,
      passwords,
      sessionTtlSeconds,
      revealsTaken: settings.registerRevealsTaken,
    });
    const recovery = createRecoveryService({ database, accountTokens, sessions, passwords, mailer, activity });
    const mailTask = createMailTask({
      mails: createAccountMailStore(database),
      accountTokens,
      mailer,
      passwords,
      texts: { projectName, links: { reset_password: resetLink, verify_email: verifyLink } },
    });
    return {
      routes: [
        ...createAuthRoutes(auth, limits, passwords),
        ...createSessionRoutes(createSessionService(common)),
        ...createRecoveryRoutes(recovery, limits),
      ],
      tasks: [createRetentionTask(sessions, settings.sessionRetentionDays), ...(mailer.isAvailable ? [mailTask] : [])],
    };
  },
};
