import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { expect } from 'chai';
import { requestDurations } from '../../../src/core/telemetry/metrics/durations.ts';
import { Observable } from '../../../src/core/telemetry/metrics/instruments.ts';
import { metricRegistry } from '../../../src/core/telemetry/metrics/registry.ts';
import { get, serve } from './harness.ts';

// What Node's client sends as a method; those that no standard knows are refused by the server's parser.
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'MKCOL', 'PURGE', 'M-SEARCH'];
const AT_A_TIME = 50;

/** Sends so many requests to paths, methods and hosts that nobody has seen, and expects no series for any of them. */
export async function expectNoSeriesFor(count: number): Promise<void> {
  const app = await serve({
    // What is refused before it is looked at would show nothing.
    env: { RATE_LIMIT_ENABLED: 'false' },
    routes: [get('/things/:id', (ctx) => ctx.respond.success({ id: ctx.params?.['id'] }))],
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_A_TIME });
  try {
    // Each method once on each kind of path makes all the series that there are.
    for (const method of METHODS) for (const known of [true, false]) await send(app.url, method, known, agent);
    const before = await seriesCount();
    let left = count;
    await Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        while (left-- > 0) {
          const method = METHODS[left % METHODS.length] as string;
          await send(app.url, method, left % 3 === 0, agent);
        }
      }),
    );
    expect(await seriesCount()).to.equal(before);
  } finally {
    agent.destroy();
    await app.close();
  }
}

function send(url: string, method: string, isKnown: boolean, agent: http.Agent): Promise<void> {
  const made = randomBytes(8).toString('hex');
  const path = isKnown ? `/api/things/${made}` : `/${made}/${made}?${made}=${made}`;
  const headers = { Host: `${made}.example.org`, 'User-Agent': made, 'X-Request-ID': made };
  return new Promise((resolve, reject) => {
    const request = http.request(url + path, { method, agent, headers }, (response) => {
      response.resume().once('end', resolve);
    });
    request.once('error', reject).end();
  });
}

async function seriesCount(): Promise<number> {
  let count = 0;
  for (const instrument of metricRegistry.instruments()) {
    if (!(instrument instanceof Observable)) count += [...instrument.series()].length;
  }
  const { resourceMetrics } = await requestDurations.collect();
  return count + (resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints.length ?? 0);
}
