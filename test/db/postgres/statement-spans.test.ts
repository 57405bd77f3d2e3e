import { context, ROOT_CONTEXT, SpanKind, TraceFlags } from '@opentelemetry/api';
import { expect } from 'chai';
import { statementDurations } from '../../../src/core/telemetry/metrics/durations.ts';
import type { ClientSpan } from '../../../src/core/telemetry/spans/client-span.ts';
import { setTracing } from '../../../src/core/telemetry/spans/tracing.ts';
import type { Database } from '../../../src/db/postgres/database.ts';
import { collectClientSpans, inRequest } from '../../support/client-spans.ts';
import { eventually } from '../../support/eventually.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';
import { openDatabase } from './harness.ts';

const WAIT = 'wait for a connection';
const names = (spans: ClientSpan[]) => spans.map(({ shape }) => shape.name);

describe('the span of a statement', () => {
  let stores: StoreAddresses & { drop(): Promise<void> };
  let database: Database;
  let spans: ClientSpan[];

  before(async () => {
    stores = await createDatabases();
    database = openDatabase(stores.databaseUrl);
    await database.query({ text: 'select 1' });
    spans = collectClientSpans();
  });
  afterEach(() => spans.splice(0));
  after(async () => {
    setTracing();
    await database.close();
    await stores.drop();
  });

  it('says what was asked, of which server, under the request that asked', async () => {
    await inRequest(() => database.query({ name: 'echo', text: `select $1::text as echo, 'secret' as s` }, ['x']));
    const [span] = spans;
    expect(span?.shape.name).to.equal('SELECT');
    expect(span?.shape.attributes).to.deep.include({
      'db.system.name': 'postgresql',
      'db.namespace': new URL(stores.databaseUrl).pathname.slice(1),
      'db.operation.name': 'SELECT',
      'db.query.text': 'select $1::text as echo, ? as s',
      'server.address': '127.0.0.1',
    });
    expect(span?.failure).to.equal(undefined);
    expect(span?.endMs).to.be.at.least(span?.startMs as number);
    expect(span?.context.traceId).to.equal(span?.parent.traceId);
  });

  it('is there for each statement of a transaction', async () => {
    await inRequest(() => database.transaction((tx) => tx.query({ text: 'select 1' })));
    expect(spans.map(({ shape }) => shape.name)).to.deep.equal(['BEGIN', 'SELECT', 'COMMIT']);
    expect(new Set(spans.map(({ parent }) => parent.spanId)).size).to.equal(1);
  });

  it('tells a failure by its code, and never what was sent', async () => {
    await inRequest(() => database.query({ text: `select 'my secret'::int` })).catch(() => undefined);
    expect(spans[0]?.failure).to.deep.equal({ type: '22P02', message: 'PostgreSQL refused the statement: 22P02' });
    const { resourceMetrics } = await statementDurations.collect();
    const failed = resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints.filter(
      ({ attributes }) => attributes['error.type'] === '22P02',
    );
    expect(failed?.length).to.be.at.least(1);
  });

  it('has one of its own before it for who had to wait for a connection, and for nobody else', async () => {
    const single = openDatabase(stores.databaseUrl, 1, 0);
    const isWaitedFor = () => single.figures().waiting === 1;
    try {
      await inRequest(() => single.query({ text: 'select 1' }));
      await inRequest(() => single.query({ text: 'select 1' }));
      expect(names(spans.splice(0)), 'the first has the connection made').to.deep.equal([WAIT, 'SELECT', 'SELECT']);
      const held = single.transaction(() => eventually(isWaitedFor));
      await inRequest(() => single.query({ text: 'select 1' }));
      await held;
    } finally {
      await single.close();
    }
    expect(names(spans)).to.deep.equal([WAIT, 'SELECT']);
    expect(spans[0]?.shape).to.deep.include({ kind: SpanKind.INTERNAL });
  });

  it('is not made outside of a request, nor in one that is not sampled', async () => {
    await context.with(ROOT_CONTEXT, () => database.query({ text: 'select 1' }));
    await inRequest(() => database.query({ text: 'select 1' }), TraceFlags.NONE);
    expect(spans).to.deep.equal([]);
  });
});
