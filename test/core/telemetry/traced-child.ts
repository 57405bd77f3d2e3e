import { once } from 'node:events';
import http, { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context } from '@opentelemetry/api';
import { Carrier, contextWith } from '../../../src/core/context.ts';
import { getTelemetry } from '../../../src/core/telemetry/sdk.ts';
import { endServerSpan, startServerSpan } from '../../../src/core/telemetry/spans/tracing.ts';

/** A process with the preload, in which a request calls another server by all means there are, and so does nobody. */
const asked: http.IncomingHttpHeaders[] = [];
const other = http.createServer((req, res) => {
  asked.push(req.headers);
  res.end();
});
other.listen(0, '127.0.0.1');
await once(other, 'listening');
const { port } = other.address() as AddressInfo;

async function callAll(): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}/fetch/Bearer%20abcdef?key=hidden&flag`)).text();
  const [answer] = (await once(get(`http://user:hidden@127.0.0.1:${port}/http?key=hidden`), 'response')) as [
    http.IncomingMessage,
  ];
  answer.resume();
  await once(answer, 'end');
}

const span = startServerSpan('GET', {}, performance.now());
await context.with(contextWith(new Carrier(), span), callAll);
endServerSpan(span);
await callAll();
other.closeAllConnections();
other.close();
const problem = await getTelemetry().shutdown(5_000);
process.stdout.write(JSON.stringify({ asked: asked.map(({ traceparent = null }) => traceparent), problem }));
