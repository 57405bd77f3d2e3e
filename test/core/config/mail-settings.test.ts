import { expect } from 'chai';
import { readSettings, SettingsError } from '../../../src/core/config/index.ts';
import { parseSmtpUrl } from '../../../src/core/config/smtp-url.ts';

const MAIL_FROM = 'Okapi <okapi@example.org>';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    expect(error).to.be.instanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
}

describe('SMTP_URL', () => {
  for (const [url, expected] of [
    ['smtps://mail.example.org', { host: 'mail.example.org', port: 465, tls: 'implicit', auth: undefined }],
    ['smtp://mail.example.org', { host: 'mail.example.org', port: 587, tls: 'starttls', auth: undefined }],
    ['smtp://mail.example.org:25/', { host: 'mail.example.org', port: 25, tls: 'starttls', auth: undefined }],
    [
      'smtps://ada%40example.org:p%3Aw%2Fd@mail.example.org:4650',
      { host: 'mail.example.org', port: 4650, tls: 'implicit', auth: { user: 'ada@example.org', pass: 'p:w/d' } },
    ],
    ['smtp://relay:25?tls=none', { host: 'relay', port: 25, tls: 'none', auth: undefined }],
    ['smtp://localhost:1025', { host: 'localhost', port: 1025, tls: 'none', auth: undefined }],
    ['smtp://127.0.0.1:1025', { host: '127.0.0.1', port: 1025, tls: 'none', auth: undefined }],
    ['smtp://[::1]:1025', { host: '::1', port: 1025, tls: 'none', auth: undefined }],
    ['smtps://localhost', { host: 'localhost', port: 465, tls: 'implicit', auth: undefined }],
  ] as const) {
    it(`says where mail goes, and how: ${url}`, () => expect(parseSmtpUrl(url)).to.deep.equal(expected));
  }

  for (const url of [
    'smtp://',
    'smtps://u:p@mail.example.org?tls=none',
    'smtp://mail.example.org?tls=maybe',
    'smtp://mail.example.org/path',
    'smtp://mail.example.org#x',
    'smtp://mail.example.org:99999',
    'smtp://mail.example.org:0',
    'smtp://user@mail.example.org',
    'smtp://:hunter2@mail.example.org',
    'smtp://u:%zz-hunter2@mail.example.org',
    'smtp://u:hunter2@mail%0d%0a.example.org',
    'http://u:hunter2@mail.example.org',
    'u:hunter2@mail.example.org',
  ]) {
    it(`is refused without being repeated: ${url}`, () => {
      const problems = problemsOf({ SMTP_URL: url, MAIL_FROM });
      expect(problems).to.have.lengthOf(1);
      expect(problems[0]).to.match(/^SMTP_URL must be /);
      expect(problems[0]).to.not.include('hunter2').and.not.include('mail.example.org?');
    });
  }

  it('needs MAIL_FROM', () => {
    expect(problemsOf({ SMTP_URL: 'smtp://localhost' })).to.satisfy(
      ([problem]: string[]) => problem?.startsWith('MAIL_FROM is missing') ?? false,
    );
    expect(problemsOf({ SMTP_URL: 'smtp://localhost', MAIL_FROM })).to.deep.equal([]);
    expect(problemsOf({ MAIL_FROM })).to.deep.equal([]);
  });

  for (const from of [
    'okapi',
    'okapi@example.org\r\nBcc: eve@example.org',
    'Okapi\nX: y <okapi@example.org>',
    'okapi@example.org, eve@example.org',
    '<okapi@example.org>',
    '"Okapi" <okapi@example.org>',
    'Okapi <okapi@example.org> <eve@example.org>',
  ]) {
    it(`needs a MAIL_FROM that is one address: ${JSON.stringify(from)}`, () => {
      const problems = problemsOf({ SMTP_URL: 'smtp://localhost', MAIL_FROM: from });
      expect(problems.join()).to.match(/^MAIL_FROM must be an address/);
    });
  }
});
