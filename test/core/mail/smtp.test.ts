import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { SMTPServerOptions } from 'smtp-server';
import type { SmtpServer } from '../../../src/core/config/smtp-url.ts';
import { createMailerOn, type Mail, MailError } from '../../../src/core/mail/mailer.ts';
import { createSmtpTransport } from '../../../src/core/mail/smtp-transport.ts';
import { eventually } from '../../support/eventually.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { startSmtpServer, type TestSmtpServer } from '../../support/smtp-server.ts';

const SECRET = 'hunter2-of-the-mail-server';
const MAIL: Mail = {
  to: 'ada@example.org',
  subject: 'Choose a new password',
  text: `Here:\n\nhttps://app.example.org/reset#${'t'.repeat(120)}\n\n.\nIt works once.`,
};
const FROM = 'Okapi <okapi@example.org>';

describe('mail over SMTP', () => {
  const { key, cert } = makeSelfSigned();
  let closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closing.map((close) => close()));
    closing = [];
  });

  async function serve(options: SMTPServerOptions = {}): Promise<TestSmtpServer> {
    const server = await startSmtpServer(options);
    closing.push(server.close);
    return server;
  }

  const to = (port: number, rest: Partial<SmtpServer> = {}): SmtpServer => ({
    host: '127.0.0.1',
    port,
    tls: 'none',
    auth: undefined,
    ...rest,
  });
  const auth = { user: 'okapi', pass: SECRET };

  async function refusalOf(sending: Promise<void>): Promise<MailError> {
    const error = await sending.then(
      () => new Error('It was sent'),
      (reason: unknown) => reason as Error,
    );
    expect(error).to.be.instanceOf(MailError);
    const said = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
    expect(said).to.not.include(SECRET);
    expect(said).to.not.include(MAIL.to);
    expect(said).to.not.include('tttt');
    return error as MailError;
  }

  it('arrives as it was written, in one piece, from one to one', async () => {
    const server = await serve();
    await createSmtpTransport({ server: to(server.port), from: FROM })(MAIL);
    const [{ from, to: recipients, head, text } = { from: '', to: [], head: '', text: '' }] = server.received;
    expect(from).to.equal('okapi@example.org');
    expect(recipients).to.deep.equal([MAIL.to]);
    expect(head.split('\r\n')).to.include.members([
      'From: Okapi <okapi@example.org>',
      'To: ada@example.org',
      'Subject: Choose a new password',
      'Auto-Submitted: auto-generated',
    ]);
    expect(text.trimEnd()).to.equal(MAIL.text);
  });

  it('comes from an address without a name too', async () => {
    const server = await serve();
    await createSmtpTransport({ server: to(server.port), from: 'okapi@example.org' })(MAIL);
    expect(server.received[0]?.head.split('\r\n')).to.include('From: okapi@example.org');
  });

  for (const [tls, secure] of [
    ['starttls', false],
    ['implicit', true],
  ] as const) {
    it(`and the password before it go encrypted (${tls})`, async () => {
      const server = await serve({ key, cert, secure, authOptional: false, allowInsecureAuth: false });
      await createSmtpTransport({ server: to(server.port, { tls, auth }), from: FROM, ca: cert })(MAIL);
      expect(server.received).to.have.lengthOf(1);
      expect(server.received[0]).to.include({ isEncrypted: true, user: 'okapi' });
    });

    it(`does not go to a server whose certificate nobody vouches for (${tls})`, async () => {
      const server = await serve({ key, cert, secure });
      await refusalOf(createSmtpTransport({ server: to(server.port, { tls, auth }), from: FROM })(MAIL));
      expect(server.received).to.deep.equal([]);
    });
  }

  it('does not go to a server without TLS where there must be some, nor does the password', async () => {
    let asked = 0;
    const server = await serve({
      onAuth(_auth, _session, done) {
        asked++;
        done(null, { user: 'okapi' });
      },
    });
    await refusalOf(createSmtpTransport({ server: to(server.port, { tls: 'starttls', auth }), from: FROM })(MAIL));
    await refusalOf(createSmtpTransport({ server: to(server.port, { tls: 'implicit', auth }), from: FROM })(MAIL));
    expect(asked).to.equal(0);
    expect(server.received).to.deep.equal([]);
  });

  it('that the server does not take names its numbers, and not its words', async () => {
    const say = (code: number, words: string) => Object.assign(new Error(words), { responseCode: code });
    const echo = `5.1.1 <${MAIL.to}> ${MAIL.text.slice(0, 200)} ${SECRET}`;
    for (const [options, message, isPermanent] of [
      [{ onRcptTo: (_, __, done) => done(say(550, echo)) }, '550 5.1.1', true],
      [{ onRcptTo: (_, __, done) => done(say(451, 'later')) }, '451', false],
      [{ onMailFrom: (_, __, done) => done(say(452, '4.3.1 full')) }, '452 4.3.1', false],
      [{ onData: (stream, _, done) => void stream.resume().on('end', () => done(say(554, echo))) }, '554 5.1.1', false],
      [{ onAuth: (_, __, done) => done(say(535, `5.7.8 ${SECRET}`)) }, 'SMTP_URL: ', false],
    ] as [SMTPServerOptions, string, boolean][]) {
      const server = await serve(options);
      const withAuth = options.onAuth === undefined ? {} : { auth };
      const error = await refusalOf(createSmtpTransport({ server: to(server.port, withAuth), from: FROM })(MAIL));
      expect(error.message).to.include(message).and.include(`127.0.0.1:${server.port}`);
      expect(error.isPermanent, message).to.equal(isPermanent);
    }
  });

  it('fails where nobody listens, and says so', async () => {
    const server = await serve();
    await server.close();
    const error = await refusalOf(createSmtpTransport({ server: to(server.port), from: FROM })(MAIL));
    expect(error.message).to.include('ECONNREFUSED');
    expect(error.isPermanent).to.equal(false);
  });

  /** A server that says what it is told to, line after line, and then keeps the connection. */
  async function mute(...lines: string[]): Promise<{ port: number; open: Set<net.Socket> }> {
    const open = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      const left = [...lines];
      const next = () => left.length > 0 && socket.write(`${left.shift()}\r\n`);
      open.add(socket.on('error', () => undefined));
      socket.on('close', () => open.delete(socket));
      socket.on('data', next);
      next();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    closing.push(async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return { port: (server.address() as AddressInfo).port, open };
  }

  for (const [what, lines] of [
    ['never greets', []],
    ['falls silent after its greeting', ['220 here']],
    ['falls silent after the mail', ['220 here', '250 here', '250 ok', '250 ok', '354 go on']],
  ] as const) {
    it(`is given up on a server that ${what}, and the connection with it`, async () => {
      const server = await mute(...lines);
      await refusalOf(createSmtpTransport({ server: to(server.port), from: FROM, timeoutMs: 300 })(MAIL));
      await eventually(() => server.open.size === 0);
    });

    it(`is called off on a server that ${what}, and the connection with it`, async () => {
      const server = await mute(...lines);
      const caller = new AbortController();
      const sending = refusalOf(createSmtpTransport({ server: to(server.port), from: FROM })(MAIL, caller.signal));
      await eventually(() => server.open.size === 1);
      caller.abort();
      await sending;
      await eventually(() => server.open.size === 0);
    });
  }

  it('goes to one address, under one subject, whatever those are made of', async () => {
    const server = await serve();
    const mailer = createMailerOn(createSmtpTransport({ server: to(server.port), from: FROM }));
    for (const change of [
      { to: 'ada@example.org\r\nBcc: eve@example.org' },
      { to: 'ada@example.org, eve@example.org' },
      { to: 'ada@example.org\n' },
      { to: '"ada@example.org" <eve@example.org>' },
      { to: 'ada@example.org> RCPT TO:<eve@example.org' },
      { to: 'ada(eve@example.org)@example.org' },
      { to: '' },
      { subject: 'Hello\r\nBcc: eve@example.org' },
      { subject: 'Hello\nX-Evil: 1' },
      { subject: 'Hello\0' },
      { subject: '' },
    ]) {
      const error = await mailer.send({ ...MAIL, ...change }).catch((reason: unknown) => reason);
      expect(error, JSON.stringify(change)).to.be.instanceOf(TypeError);
    }
    expect(server.received).to.deep.equal([]);
    await mailer.send({ ...MAIL, text: 'Hello\r\n.\r\nMAIL FROM:<eve@example.org>\r\n' });
    expect(server.received).to.have.lengthOf(1);
    expect(server.received[0]?.text).to.include('MAIL FROM:<eve@example.org>');
  });
});
