/** A server that takes mail (RFC 5321). */
export type SmtpServer = {
  host: string;
  port: number;
  /** `implicit`: TLS from the first byte (RFC 8314 §3); `starttls`: no mail without it (RFC 3207); `none`: plain text. */
  tls: 'implicit' | 'starttls' | 'none';
  auth: { user: string; pass: string } | undefined;
};

const DEFAULT_PORT = { 'smtp:': 587, 'smtps:': 465 } as const;
const HOST = /^[A-Za-z0-9.:_-]{1,255}$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * Reads `smtps://user:password@host:465` or `smtp://user:password@host:587`; `undefined` when it is neither. `smtp`
 * means STARTTLS, but for this machine itself, and where `?tls=none` says so.
 */
export function parseSmtpUrl(text: string): SmtpServer | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== 'smtp:' && protocol !== 'smtps:') return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isPlain = search === '?tls=none';
  const hasMore = !['', '/'].includes(pathname) || hash !== '' || !(search === '' || isPlain);
  const isContradiction = isPlain && protocol === 'smtps:';
  if (!HOST.test(host) || hasMore || isContradiction || port === '0') return undefined;
  const user = decoded(username);
  const pass = decoded(password);
  if (user === undefined || pass === undefined || (user === '') !== (pass === '')) return undefined;
  const withoutTls = isPlain || LOOPBACK.test(host) ? 'none' : 'starttls';
  return {
    host,
    port: port === '' ? DEFAULT_PORT[protocol] : Number(port),
    tls: protocol === 'smtps:' ? 'implicit' : withoutTls,
    auth: user === '' ? undefined : { user, pass },
  };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
