import { join } from 'node:path';
import { isDeployed, type Settings } from '../config/index.ts';
import { parseSmtpUrl } from '../config/smtp-url.ts';
import { getLogger } from '../logging/index.ts';
import { createFolderTransport } from './folder-transport.ts';
import { createMailerOn, type Mailer } from './mailer.ts';

/**
 * The mailer that the settings ask for: over SMTP with `SMTP_URL`, else into files below `DATA_DIR/mail` in development
 * and test, else none. What sends is loaded only where it is used.
 */
export async function createMailer(settings: Settings): Promise<Mailer> {
  const { smtpUrl, mailFrom, environment, dataDir } = settings;
  const server = smtpUrl === undefined ? undefined : parseSmtpUrl(smtpUrl);
  if (server !== undefined && mailFrom !== undefined) {
    const { createSmtpTransport } = await import('./smtp-transport.ts');
    return createMailerOn(createSmtpTransport({ server, from: mailFrom }));
  }
  if (!isDeployed(environment)) return createMailerOn(createFolderTransport(join(dataDir, 'mail')));
  getLogger('app.infra.email').warning('No mail can be sent: set SMTP_URL and MAIL_FROM to let people reset passwords');
  return createMailerOn(undefined);
}
