import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { trackBackgroundJob } from '../../../src/core/background/track-background-job.ts';
import { heldForJob } from '../../../src/core/telemetry/held-for-job.ts';
import { ledger } from '../../../src/core/telemetry/ledger.ts';
import type { ClientSpan } from '../../../src/core/telemetry/spans/client-span.ts';
import type { JobSpan } from '../../../src/core/telemetry/spans/job-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import type { Database } from '../../../src/db/postgres/database.ts';
import { openDatabase } from '../../db/postgres/harness.ts';
import { collectClientSpans, inRequest } from '../../support/client-spans.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';

const LOOK = { text: 'select n from counted where n < 0' };
const REMOVE = { text: 'delete from counted where n < $1' };

describe('the trace of a background job', () => {
  let stores: StoreAddresses & { drop(): Promise<void> };
  let database: Database;
  let calls: ClientSpan[];
  const jobs: JobSpan[] = [];
  /** Names of ended spans of the SDK. */
  const others: string[] = [];
  const provider = new TracerProvider({
    spanProcessors: [
      heldForJob({
        onStart: () => undefined,
        onEnd: ({ name }) => others.push(name),
        forceFlush: async () => undefined,
        shutdown: async () => undefined,
      }),
    ],
  });
  const tracer = provider.getTracer('test');

  before(async () => {
    stores = await createDatabases();
    database = openDatabase(stores.databaseUrl);
    await database.query({ text: 'create table counted as select generate_series(1, 5) as n' });
    calls = collectClientSpans(jobs);
  });
  afterEach(() => {
    for (const list of [calls, jobs, others]) list.splice(0);
  });
  after(async () => {
    setTracing();
    await database.close();
    await stores.drop();
  });

  const run = (work: () => Promise<unknown>) => trackBackgroundJob('some_job')(work)();
  const names = () => [...jobs.map(({ name }) => name), ...calls.map(({ shape }) => shape.name), ...others];
  const command = (name: string, attributes = {}) => tracer.startSpan(name, { attributes }).end();

  it('is one span a run, called as the job, with what the run asked below it, from the first look on', async () => {
    await run(async () => {
      await database.query(LOOK);
      await database.query(REMOVE, [2]);
      command('insert events');
      await database.query(LOOK);
    });
    expect(names()).to.deep.equal(['some_job', 'SELECT counted', 'DELETE counted', 'SELECT counted', 'insert events']);
    const [job] = jobs;
    expect(job).to.include({ kind: SpanKind.INTERNAL, parent: undefined });
    expect(job?.attributes).to.deep.equal({ 'okapi.job_name': 'some_job' });
    expect(new Set(calls.map(({ parent }) => parent.spanId))).to.deep.equal(new Set([job?.context.spanId]));
    expect(new Set(calls.map((span) => span.context.traceId))).to.deep.equal(new Set([job?.context.traceId]));
  });

  it('is not there for a run that changed nothing, whose spans count as never begun', async () => {
    const before = ledger.spans.view();
    await run(async () => {
      await database.transaction(async (tx) => {
        await tx.query(LOOK);
        await tx.query(REMOVE, [-1]);
      });
      command('find events', { 'db.system.name': 'mongodb', 'db.operation.name': 'find' });
    });
    await run(async () => 'nothing asked');
    expect(names()).to.deep.equal([]);
    // The one of the SDK is counted by its sampler, which is another one here.
    expect(ledger.spans.view()).to.include({ started: before.started - 1, sampled_out: before.sampled_out });
  });

  it('goes by what the run says of itself', async () => {
    const look = async () => void (await database.query(LOOK));
    await run(async () => look().then(() => 0));
    expect(names()).to.deep.equal([]);
    await run(async () => look().then(() => 3));
    expect(names()).to.deep.equal(['some_job', 'SELECT counted']);
  });

  it('is there for a run that failed, with the error, and for one in which something failed', async () => {
    await run(async () => {
      throw new RangeError('password=hidden is out of range');
    }).catch(() => undefined);
    const [failed] = jobs.splice(0);
    expect(failed?.status.code).to.equal(SpanStatusCode.ERROR);
    expect(failed?.attributes).to.include({ 'error.type': 'RangeError' });
    const { attributes } = failed?.events?.[0] ?? {};
    expect(attributes).to.include({ 'exception.type': 'RangeError' });
    expect(attributes?.['exception.stacktrace']).to.contain('job-traces.test.ts').and.not.contain('hidden');
    await run(() => database.query({ text: 'select nothing_of_that_name' }).catch(() => undefined));
    expect(names()).to.deep.equal(['some_job', 'SELECT']);
  });

  it('is its own when a request starts the job, and linked to that', async () => {
    let request: string | undefined;
    await inRequest(async () => {
      request = trace.getActiveSpan()?.spanContext().spanId;
      await run(() => database.query(REMOVE, [3]));
    });
    expect(jobs[0]?.parent).to.equal(undefined);
    expect(jobs[0]?.links?.map((link) => link.context.spanId)).to.deep.equal([request]);
  });

  it('keeps no more than a hundred spans waiting for its end', async () => {
    await run(async () => {
      for (let n = 0; n < 150; n++) command('find', { 'db.system.name': 'mongodb', 'db.operation.name': 'find' });
      expect(others.length).to.be.above(100);
    });
    expect(others).to.have.length(150);
    expect(jobs).to.have.length(1);
  });

  it('leaves alone the spans of requests meanwhile', async () => {
    await run(async () => {
      await context.with(trace.deleteSpan(context.active()), async () => {
        command('of nobody');
        await inRequest(() => database.query(LOOK));
      });
      expect(names()).to.deep.equal(['SELECT counted', 'of nobody']);
    });
    expect(jobs).to.deep.equal([]);
  });
});
