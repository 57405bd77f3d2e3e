import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getLogger } from '../logging/index.ts';
import { MailError, type MailTransport } from './mailer.ts';

/** So many mails are kept; older ones make room. */
const MAX_KEPT = 100;

/**
 * For development: a mail becomes a file that only this user can read, and a line in the log says where it is. What the
 * mail says stays out of the log, since it may let somebody in.
 */
export function createFolderTransport(folder: string): MailTransport {
  const logger = getLogger('app.infra.email');

  async function prune(): Promise<void> {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort();
    await Promise.all(names.slice(0, -MAX_KEPT).map((name) => rm(join(folder, name), { force: true })));
  }

  return async function writeToFolder({ to, subject, text }) {
    const at = new Date();
    const file = join(folder, `${at.toISOString().replaceAll(':', '-')}-${randomUUID().slice(0, 8)}.eml`);
    const head = `Date: ${at.toUTCString()}\nTo: ${to}\nSubject: ${subject}\nContent-Type: text/plain; charset=utf-8\n`;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(file, `${head}\n${text}\n`, { mode: 0o600, flag: 'wx' });
      await prune();
    } catch (cause) {
      throw new MailError(`The mail cannot be written to ${folder} (${(cause as NodeJS.ErrnoException).code})`, {
        cause,
      });
    }
    logger.info('Wrote a mail to a file, since SMTP_URL is not set', { subject, file });
  };
}
