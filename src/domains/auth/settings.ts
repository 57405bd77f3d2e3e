import { domainSettings, optionalText } from '../../core/config/index.ts';

const link = (env: string, what: string, page: string) =>
  optionalText(env, {
    description: `${what}; {token} stands for the token. Behind a # no server and no log on the way sees it. Without one, the mail has the token alone`,
    pattern: '^https?://[^\\s{}<>"]+\\{token\\}[^\\s{}<>"]*$',
    allowed: `a URL such as https://app.example.org/${page}#{token}`,
    maxLength: 1024,
  });

export const authSettings = domainSettings('auth', {
  resetLink: link('AUTH_RESET_LINK', 'Page that a mail to who forgot the password leads to', 'reset'),
  verifyLink: link('AUTH_VERIFY_LINK', 'Page that a mail which verifies an address leads to', 'verify'),
});
