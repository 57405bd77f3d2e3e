import http from 'node:http';
import { bearer, type Credentials, freshCredentials } from './client.ts';
import { assertContract } from './contract.ts';

/** An answer that came whole. */
export type Answered = { what: string; status: number; requestId: string; traceId: string };

export type Load = {
  /** Whole answers, in the order in which they came. */
  readonly answered: Answered[];
  /** Requests that were sent on a connection and got no answer, or half of one. */
  readonly lost: string[];
  /** Accounts whose registration was acknowledged. */
  readonly registered: Credentials[];
  /** Resolves once every client has ended: told to, or refused a connection. */
  readonly ended: Promise<void>;
  /** No new requests from now on. */
  stop(): void;
};

/** What `exchange` rejects with when no connection could be made: nothing was sent, so nothing is lost. */
class Refused extends Error {}

type Request = { method: string; url: string; headers?: Record<string, string>; body?: unknown; agent: http.Agent };
type Exchanged = Answered & { body: { data?: Record<string, string> } };

/**
 * Clients that each keep one connection alive and register, sign in and ask who they are, one request after the other,
 * until they are refused a connection.
 */
export function startLoad(url: string, clients: number): Load {
  const answered: Answered[] = [];
  const lost: string[] = [];
  const registered: Credentials[] = [];
  let isStopped = false;

  async function ask(request: Request): Promise<Exchanged> {
    const answer = await exchange(request);
    const { body: _body, ...rest } = answer;
    answered.push(rest);
    return answer;
  }

  async function client(): Promise<void> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    try {
      while (!isStopped) {
        const credentials = freshCredentials();
        const body = credentials;
        await ask({ method: 'POST', url: `${url}/api/auth/register`, body, agent });
        registered.push(credentials);
        if (isStopped) return;
        const login = await ask({ method: 'POST', url: `${url}/api/auth/login`, body, agent });
        const headers = bearer(login.body.data?.['access_token'] ?? '');
        if (!isStopped) await ask({ method: 'GET', url: `${url}/api/users/me`, headers, agent });
      }
    } catch (error) {
      if (!(error instanceof Refused)) lost.push(String(error));
    } finally {
      agent.destroy();
    }
  }

  return {
    answered,
    lost,
    registered,
    ended: Promise.all(Array.from({ length: clients }, client)).then(() => undefined),
    stop: () => {
      isStopped = true;
    },
  };
}

function exchange({ method, url, headers, body, agent }: Request): Promise<Exchanged> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const json = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': text.length };
  const what = `${method} ${new URL(url).pathname}`;
  const { promise, resolve, reject } = Promise.withResolvers<Exchanged>();
  const failed = (error: Error & { code?: string; syscall?: string }) => {
    const isRefused = error.code === 'ECONNREFUSED' && error.syscall === 'connect';
    reject(isRefused ? new Refused() : new Error(`${what}: ${error.code ?? error.message}`, { cause: error }));
  };
  const request = http.request(url, { method, agent, headers: { ...headers, ...json } }, (response) => {
    const chunks: Buffer[] = [];
    response.on('error', failed);
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      if (!response.complete) return failed(new Error('half an answer'));
      const text = Buffer.concat(chunks).toString();
      const answer = JSON.parse(text);
      const { request_id: requestId, trace_id: traceId } = answer.meta;
      const status = response.statusCode ?? 0;
      const given = new Headers({ 'content-type': response.headers['content-type'] ?? '' });
      try {
        assertContract(method, url, { status, headers: given, text, body: answer });
      } catch (error) {
        return reject(error);
      }
      resolve({ what, status, requestId, traceId, body: answer });
    });
  });
  request.on('error', failed);
  request.end(text);
  return promise;
}
