import type { IncomingMessage } from 'node:http';
import { AppHttpError, BadRequestError, MethodNotAllowedError } from '../errors/app-http-error.ts';

/** What Node's parser lets through though HTTP forbids it (RFC 9112 §3.2): `undefined` for nearly every request. */
export function refusalOfTarget(req: IncomingMessage): AppHttpError | undefined {
  const hosts = countHosts(req.rawHeaders);
  if (hosts > 1 || (hosts === 0 && req.httpVersion === '1.1')) return refused('Expected one Host header');
  const target = req.url ?? '';
  // Koa would throw at a URL that is none, and take what is behind the scheme for a path where there is no host.
  if (target.charCodeAt(0) !== SLASH && target !== '*' && URL.parse(target) === null) {
    return refused('The request names a URL that is none');
  }
  return undefined;
}

/** This is no proxy (RFC 9110 §9.3.6). */
export function refusalOfTunnel(): AppHttpError {
  return new MethodNotAllowedError('No tunnels are opened here', { headers: { Allow: 'GET, HEAD, OPTIONS' } });
}

/** RFC 9110 §10.1.1. */
export function refusalOfExpectation(): AppHttpError {
  return new AppHttpError(417, 'Expected Expect: 100-continue or none', {
    title: 'Expectation Failed',
    code: 'request.unmet_expectation',
  });
}

const SLASH = 47;

function refused(detail: string): AppHttpError {
  return new BadRequestError(detail, { code: 'request.malformed' });
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
