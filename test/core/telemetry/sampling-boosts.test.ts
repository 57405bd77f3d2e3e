import { mock } from 'node:test';
import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { SamplingBoosts, withBoosts } from '../../../src/core/telemetry/sampling-boosts.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const NEVER = new TraceIdRatioBasedSampler(0);

const parent = (traceFlags: number, isRemote: boolean) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE, spanId: '00f067aa0ba902b7', traceFlags, isRemote });

function isSampled(sampler: Sampler, path: string, context: Context = ROOT_CONTEXT, kind = SpanKind.SERVER): boolean {
  const attributes = { 'http.request.method': 'GET', 'url.path': path };
  const { decision } = sampler.shouldSample(context, TRACE, 'GET', kind, attributes, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

describe('a route whose sampling is boosted', () => {
  const boosts = new SamplingBoosts();
  const matches = (_method: string, path: string) => path === '/api/slow';
  afterEach(() => {
    for (const { key } of boosts.list()) boosts.remove(key);
  });

  for (const [what, sampler] of [
    ['a ratio', NEVER],
    ['a ratio that follows its parent', new ParentBasedSampler({ root: NEVER })],
    ['nothing', new AlwaysOffSampler()],
  ] as [string, Sampler][]) {
    it(`is sampled, and no other, where the sampler takes ${what}`, () => {
      const boosted = withBoosts(sampler, boosts);
      expect(isSampled(boosted, '/api/slow')).to.equal(false);
      boosts.set({ route: '/api/slow', matches }, 60);
      expect(isSampled(boosted, '/api/slow')).to.equal(true);
      expect(isSampled(boosted, '/api/other')).to.equal(false);
      expect(isSampled(boosted, '/api/slow', ROOT_CONTEXT, SpanKind.CLIENT), 'no request').to.equal(false);
      expect(isSampled(boosted, '/api/slow', parent(0, true)), 'its caller decided not to').to.equal(false);
      expect(isSampled(boosted, '', parent(1, false), SpanKind.CLIENT), 'what hangs under it').to.equal(true);
      expect(isSampled(boosted, '', parent(0, false), SpanKind.CLIENT)).to.equal(false);
    });
  }

  it('is no more, once its time is over', () => {
    const boosted = withBoosts(NEVER, boosts);
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    try {
      boosts.set({ route: '/api/slow', matches }, 120);
      boosts.set({ userId: 'ada' }, 60);
      mock.timers.tick(119_999);
      expect([isSampled(boosted, '/api/slow'), boosts.coversUser('ada')]).to.deep.equal([true, false]);
      mock.timers.tick(1);
      expect(isSampled(boosted, '/api/slow')).to.equal(false);
      expect(boosts.list()).to.deep.equal([]);
    } finally {
      mock.timers.reset();
    }
  });

  it('has one boost, however often it is set, and is one of fifty at most', () => {
    const first = boosts.set({ route: '/api/slow', matches }, 60);
    expect(boosts.set({ route: '/api/slow', matches }, 90)?.key).to.equal(first?.key);
    for (let n = 1; n < 50; n++) boosts.set({ userId: `user ${n}` }, 60);
    expect(boosts.hasRoomFor({ userId: 'one more' })).to.equal(false);
    expect(boosts.set({ userId: 'one more' }, 60)).to.equal(undefined);
    expect(boosts.set({ userId: 'user 7' }, 60)).to.not.equal(undefined);
  });
});
