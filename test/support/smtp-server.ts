import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export type ReceivedMail = {
  from: string;
  to: string[];
  /** The lines before the first empty one, unfolded. */
  head: string;
  /** What the mail says, decoded. */
  text: string;
  isEncrypted: boolean;
  user: string | undefined;
};

export type TestSmtpServer = {
  readonly port: number;
  readonly received: ReceivedMail[];
  /** The mails that came to an address so far. */
  to(address: string): ReceivedMail[];
  close(): Promise<void>;
};

/** A mail server on this machine that keeps what it is sent; it has no TLS and asks for no password unless told to. */
export async function startSmtpServer(options: SMTPServerOptions = {}): Promise<TestSmtpServer> {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.cert === undefined ? ['STARTTLS'] : [],
    allowInsecureAuth: true,
    closeTimeout: 100,
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
    async onData(stream, { envelope, secure, user }, done) {
      const [head = '', ...body] = (await text(stream)).split('\r\n\r\n');
      const { mailFrom, rcptTo } = envelope;
      received.push({
        from: mailFrom === false ? '' : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        head: head.replaceAll(/\r\n[ \t]+/g, ' '),
        text: unquoted(body.join('\r\n\r\n')),
        isEncrypted: secure,
        user: user as string | undefined,
      });
      done();
    },
    ...options,
  });
  // A client that breaks off is what is tested here.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    to: (address) => received.filter(({ to }) => to.includes(address)),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** RFC 2045 §6.7, for ASCII. */
function unquoted(encoded: string): string {
  return encoded
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\r\n', '\n');
}
