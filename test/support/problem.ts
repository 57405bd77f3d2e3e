import { expect } from 'chai';
import type { Answer } from './client.ts';
import type { LogLine, Service } from './service.ts';

/** Headers that every answer carries, whatever it is. */
export const ALWAYS = [
  'x-request-id',
  'traceresponse',
  'server-timing',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'content-security-policy',
] as const;

/** Expects the one error envelope (RFC 9457), with its headers, and `code` where one is given. */
export function expectProblem(answer: Answer, status: number, code?: string): void {
  const { headers, body, text } = answer;
  expect(answer.status, text).to.equal(status);
  expect(headers.get('content-type'), text).to.equal('application/problem+json; charset=utf-8');
  expect(headers.get('cache-control'), text).to.equal('no-store');
  for (const name of ALWAYS) expect(headers.has(name), `${name} of ${text}`).to.equal(true);
  expect(body).to.include({ type: `https://httpstatuses.io/${status}`, status });
  if (code !== undefined) expect(body.code).to.equal(code);
  expect(body.title).to.be.a('string').and.not.equal('');
  expect(body.instance).to.be.a('string');
  expect(body.meta).to.include({ success: false, request_id: headers.get('x-request-id') });
  expect(headers.get('traceresponse')).to.contain(body.meta.trace_id);
}

/** The answers in what came back over a socket, one after the other. Interim ones (1xx) are left out. */
export function answersIn(received: string): Answer[] {
  const answers: Answer[] = [];
  for (let rest = received; rest.startsWith('HTTP/1.'); ) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = new Headers();
    for (const line of lines)
      headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim());
    const length = Number(headers.get('content-length') ?? 0);
    const text = rest.slice(end + 4, end + 4 + length);
    const status = Number(statusLine.split(' ')[1]);
    const isJson = text !== '' && /json/.test(headers.get('content-type') ?? '');
    if (status >= 200) answers.push({ status, headers, text, body: isJson ? JSON.parse(text) : undefined });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

/** The lines at ERROR that a service has written so far; none are expected of anything that a client can send. */
export function errorLines(service: Service): LogLine[] {
  return service.logLines().filter((line) => line['level'] === 'ERROR');
}
