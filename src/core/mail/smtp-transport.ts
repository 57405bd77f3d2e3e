import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import type { SmtpServer } from '../config/smtp-url.ts';
import { MailError, type MailTransport } from './mailer.ts';

export type SmtpOptions = {
  server: SmtpServer;
  /** `Okapi <okapi@example.org>`, or the address alone. */
  from: string;
  /** For tests: the authority of the server's certificate; those that Node trusts unless given. */
  ca?: string;
  /** For tests. */
  timeoutMs?: number;
};

/** From the first packet to the answer to the mail: a server that is slower is tried again later. */
const TIMEOUT_MS = 30_000;
/** Of silence, at any step. */
const SILENCE_MS = 15_000;

/**
 * Sends mail over SMTP, each on a connection of its own. The certificate of the server is always checked, and no
 * password goes over a connection that should be encrypted and is not.
 */
export function createSmtpTransport({ server, from, ca, timeoutMs = TIMEOUT_MS }: SmtpOptions): MailTransport {
  const { host, port, tls, auth } = server;
  const [, name = '', address = from] = /^(.*) <(.*)>$/.exec(from) ?? [];
  const options = {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(auth === undefined ? {} : { auth, forceAuth: true }),
    tls: { minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) },
    greetingTimeout: Math.min(SILENCE_MS, timeoutMs),
    socketTimeout: Math.min(SILENCE_MS, timeoutMs),
    // A mail is text of ours: nothing of it is a path or an address to fetch from.
    disableFileAccess: true,
    disableUrlAccess: true,
  };

  return async function sendBySmtp({ to, subject, text }, signal) {
    const limit = AbortSignal.timeout(timeoutMs);
    const given = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(given.reason);
    given.addEventListener('abort', onAbort);
    // Whoever holds the socket can end everything at any step, which the library itself cannot.
    const transport = createTransport({
      ...options,
      getSocket(_, done) {
        open(host, port, given).then(
          (connection) => done(null, { connection }),
          (error: Error) => done(error, undefined),
        );
      },
    });
    try {
      const sent = transport.sendMail({
        from: { name, address },
        to: { name: '', address: to },
        subject,
        text,
        // Whatever its length, a link comes out of it in one piece.
        textEncoding: 'quoted-printable',
        // RFC 3834 §5: nobody's absence note is wanted.
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      await Promise.race([sent, aborted]);
    } catch (error) {
      throw asMailError(error, `${host}:${port}`, limit.aborted);
    } finally {
      given.removeEventListener('abort', onAbort);
      transport.close();
    }
  };
}

async function open(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal });
  await once(socket, 'connect');
  // Between here and its next user, and once TLS lies over it, nobody else would listen.
  socket.on('error', () => undefined);
  return socket;
}

/**
 * What a server answers may repeat what it was sent: of that only its numbers are kept (RFC 5321 §4.2, RFC 3463), and
 * not the error that holds the rest.
 */
function asMailError(error: unknown, server: string, isLate: boolean): MailError {
  const { code, response } = error as { code?: unknown; response?: unknown };
  if (typeof response === 'string') {
    const [numbers = 'no number'] = /^\d{3}([ -]\d\.\d{1,3}\.\d{1,3}\b)?/.exec(response) ?? [];
    const isPermanent = code === 'EENVELOPE' && numbers.startsWith('5');
    const what = code === 'EAUTH' ? 'SMTP_URL: the mail server refused user or password' : 'The mail server refused';
    return new MailError(`${what} (${server}: ${numbers})`, { isPermanent });
  }
  if (isLate) return new MailError(`The mail server took too long (${server})`);
  const reason = typeof code === 'string' ? code : (error as Error).name;
  return new MailError(`The mail server cannot be used (${server}: ${reason})`, { cause: error });
}
