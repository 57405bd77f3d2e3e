import { randomBytes } from 'node:crypto';
import { request, requestJson } from './load/request.ts';
import type { Candidate } from './measure.ts';
import { type Finding, finding, limit } from './report/findings.ts';
import { median } from './report/statistics.ts';
import type { Workbench } from './workbench.ts';

const ATTEMPTS = 200;
const WARM_UP = 20;
/** Of the longer median over the shorter. */
const APART_AT_MOST = 1.05;

/**
 * How long a refused login takes for an address with an account and for one without: 200 of each by turns, so that what
 * slows the machine down meets both.
 */
export async function measureLoginTiming(bench: Workbench, { server }: Candidate): Promise<Finding[]> {
  const { url } = server.running;
  const known = `known-${randomBytes(8).toString('hex')}@example.org`;
  const body = { email: known, password: randomBytes(16).toString('hex') };
  await requestJson(`${url}/api/auth/register`, { method: 'POST', body });
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  bench.say(`login      ${ATTEMPTS} attempts each`);
  for (let attempt = -WARM_UP; attempt < ATTEMPTS; attempt++) {
    bench.signal.throwIfAborted();
    const pair = [
      ['known', known],
      ['unknown', `unknown-${randomBytes(8).toString('hex')}@example.org`],
    ] as const;
    // Whoever comes second finds caches warm, so they change places.
    for (const [who, email] of attempt % 2 === 0 ? pair : pair.toReversed()) {
      const ms = await timeRefusal(url, email);
      if (attempt >= 0) times[who].push(ms);
    }
  }
  server.addSingle(1 + 2 * (ATTEMPTS + WARM_UP));
  const medians = [median(times.known), median(times.unknown)];
  const apart = Math.max(...medians) / Math.min(...medians);
  const [ofKnown, ofUnknown] = medians.map((ms) => `${ms.toFixed(2)} ms`);
  return [
    finding('login: median with and without an account', `${ofKnown} and ${ofUnknown}`, 'see below', true),
    limit('login: one median over the other', apart, APART_AT_MOST, ''),
  ];
}

async function timeRefusal(url: string, email: string): Promise<number> {
  const body = { email, password: 'none of the passwords' };
  const startedAt = performance.now();
  const { status } = await request(`${url}/api/auth/login`, { method: 'POST', body });
  if (status !== 401) throw new Error(`A login that should be refused was answered ${status}`);
  return performance.now() - startedAt;
}
