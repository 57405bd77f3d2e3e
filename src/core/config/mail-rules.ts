import type { SettingValues } from './settings-table.ts';
import { parseSmtpUrl } from './smtp-url.ts';

/** What is wrong with how mail is sent. Returns one line a problem, without the URL: a password is in it. */
export function findMailProblems({ smtpUrl, mailFrom }: SettingValues): string[] {
  if (smtpUrl === undefined) return [];
  const problems: string[] = [];
  if (parseSmtpUrl(smtpUrl) === undefined) {
    problems.push(
      'SMTP_URL must be smtps://user:password@host:465 or smtp://user:password@host:587, percent-encoded, with nothing behind it but ?tls=none',
    );
  }
  if (mailFrom === undefined) {
    problems.push('MAIL_FROM is missing: with SMTP_URL say whom mail comes from, such as "Okapi <okapi@example.org>"');
  }
  return problems;
}
