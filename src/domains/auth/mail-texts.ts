import type { Mail } from '../../core/index.ts';
import { MAIL_TOKEN_TTL_SECONDS, type MailPurpose } from './account-tokens.ts';

export type MailTexts = {
  projectName: string;
  /** Where a mail leads to, with `{token}` for the token; without one, it has the token alone. */
  links: Readonly<Record<MailPurpose, string | undefined>>;
};

const MINUTES = MAIL_TOKEN_TTL_SECONDS / 60;

/** The mail that brings a token. It names nobody and quotes nothing that a stranger could have written. */
export function writeMail({ projectName, links }: MailTexts, purpose: MailPurpose, to: string, token: string): Mail {
  const link = links[purpose]?.replace('{token}', () => token);
  const { subject, why, what, otherwise } = WORDS[purpose](projectName);
  const how = link === undefined ? `${what} with this token:` : `${what} here:`;
  const text = [why, `${how}\n\n${link ?? token}`, `It works once, for ${MINUTES} minutes.`, otherwise].join('\n\n');
  return { to, subject, text };
}

type Words = { subject: string; why: string; what: string; otherwise: string };

const WORDS: Readonly<Record<MailPurpose, (projectName: string) => Words>> = {
  reset_password: (projectName) => ({
    subject: `${projectName}: choose a new password`,
    why: `Somebody, probably you, said to have forgotten the password of your account at ${projectName}.`,
    what: 'Choose a new one',
    otherwise: 'If it was not you, leave this mail alone: nothing has changed.',
  }),
  verify_email: (projectName) => ({
    subject: `${projectName}: is this your address?`,
    why: `An account at ${projectName} has this address.`,
    what: 'If it is yours, confirm it',
    otherwise: 'If it is not, leave this mail alone.',
  }),
};
