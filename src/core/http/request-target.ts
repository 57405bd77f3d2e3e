import type { IncomingMessage } from 'node:http';
import { AppHttpError, BadRequestError, MethodNotAllowedError } from '../errors/app-http-error.ts';

/**
 * What Node's parser lets through though HTTP forbids it (RFC 9112 §3.2), and expectations that nobody meets
 * (RFC 9110 §10.1.1): `undefined` for nearly every request.
 */
export function refusalOfRequest(req: IncomingMessage): AppHttpError | undefined {
  const hosts = countHosts(req.rawHeaders);
  if (hosts > 1 || (hosts === 0 && req.httpVersion === '1.1')) return refused('Expected one Host header');
  const target = req.url ?? '';
  // Koa would throw at a URL that is none, and take what is behind the scheme for a path where there is no host.
  if (target.charCodeAt(0) !== SLASH && target !== '*' && URL.parse(target) === null) {
    return refused('The request names a URL that is none');
  }
  const { expect } = req.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return new AppHttpError(417, 'Expected Expect: 100-continue or none', {
      title: 'Expectation Failed',
      code: 'request.unmet_expectation',
    });
  }
  return undefined;
}

/** The path of a request's target, without the query, also where the target is none; for whole URLs that of the URL. */
export function pathOfTarget(target: string): string {
  if (target.charCodeAt(0) !== SLASH) {
    // A URL of another scheme than those of the web may have a path that is none here: `a://b` an empty one.
    const path = target === '*' ? target : (URL.parse(target)?.pathname ?? '');
    return path.charCodeAt(0) === SLASH || path === '*' ? path : '/';
  }
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}

/** This is no proxy (RFC 9110 §9.3.6). */
export function refusalOfTunnel(): AppHttpError {
  return new MethodNotAllowedError('No tunnels are opened here', { headers: { Allow: 'GET, HEAD, OPTIONS' } });
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
