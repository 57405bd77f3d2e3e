import { trackBackgroundJob } from '../background/track-background-job.ts';
import { MAIL_ADDRESS } from '../config/mail-address.ts';
import { ServiceUnavailableError } from '../errors/app-http-error.ts';

/** One mail to one person, as plain text. */
export type Mail = { to: string; subject: string; text: string };

/** What takes mail. It waits for a server elsewhere: send outside of the request, in a background task. */
export type Mailer = {
  /** `false` in staging and production without `SMTP_URL`. */
  readonly isAvailable: boolean;
  /** Throws 503 (`mail.unavailable`) where no mail can be sent; for a route that is of no use without one. */
  assertAvailable(): void;
  /**
   * Resolves once the mail has been taken over. Rejects with `MailError` when it was not, which is so after 30 seconds at
   * the latest and when `signal` aborts; with `TypeError` for an address or a subject that could be more than one.
   */
  send(mail: Mail, signal?: AbortSignal): Promise<void>;
};

/** Takes a mail over, or rejects with `MailError`. */
export type MailTransport = (mail: Mail, signal?: AbortSignal) => Promise<void>;

/** A mail that was not taken. Its message holds nothing of the mail, and nothing that the server said in free text. */
export class MailError extends Error {
  override name = 'MailError';
  /** Whether the same mail will never be taken, such as one to a mailbox that there is not. */
  readonly isPermanent: boolean;

  constructor(message: string, options: ErrorOptions & { isPermanent?: boolean } = {}) {
    super(message, options);
    this.isPermanent = options.isPermanent ?? false;
  }
}

const ADDRESS = new RegExp(`^${MAIL_ADDRESS}$`);
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** A mailer on `transport`, whose mails are runs of the job `send_mail`; one that sends nothing when there is none. */
export function createMailerOn(transport: MailTransport | undefined): Mailer {
  const isAvailable = transport !== undefined;
  const assertAvailable = () => {
    if (!isAvailable) throw new ServiceUnavailableError('No mail can be sent here', { code: 'mail.unavailable' });
  };
  if (transport === undefined) {
    return {
      isAvailable,
      assertAvailable,
      send: async () => {
        throw new MailError('No mail can be sent: SMTP_URL is not set');
      },
    };
  }
  const send = trackBackgroundJob('send_mail')(transport);
  return {
    isAvailable,
    assertAvailable,
    async send(mail, signal) {
      if (!ADDRESS.test(mail.to)) throw new TypeError('A mail goes to one address, in ASCII and without a name');
      if (mail.subject === '' || CONTROL.test(mail.subject)) throw new TypeError('The subject of a mail is one line');
      await send(mail, signal);
    },
  };
}
