import { followClues, longest, type Peers, rootOf } from './clues.ts';
import { type Act, ask, failingStatement, mongoAway, type Scene, slowQuery } from './incident.ts';
import type { Check } from './report.ts';

const ACT_SECONDS = 8;
const MONGO_SECONDS = 12;
const ME = '/api/users/me';
const ALERTS = ['prometheus'];
const TRACES = ['prometheus', 'otelcol', 'jaeger'];
const LOGS = ['prometheus', 'otelcol', 'victoria-logs'];
/** Of a request's time, when the rest is not worth looking at. */
const MOST = 0.8;

/** A healthy service first, then one fault after the other, each followed from its alert to its cause. */
export function incidentChecks(scene: Scene, peers: Peers): Check[] {
  const { prometheus } = peers;
  const clues = followClues(peers);
  return [
    {
      name: 'A healthy service pages nobody',
      needs: ALERTS,
      async run() {
        const { statuses } = await ask(scene, ME, ACT_SECONDS);
        const firing = (await prometheus.firing())
          .filter(({ severity }) => severity === 'page')
          .map(({ alertname }) => alertname);
        if (firing.length > 0) throw new Error(`${firing.join(', ')} fired`);
        return `${statuses.get(200)} requests`;
      },
    },
    ...slowQueryChecks(scene, clues),
    ...failureChecks(scene, clues),
    ...mongoChecks(scene, clues),
  ];
}

type Clues = ReturnType<typeof followClues>;

function slowQueryChecks(scene: Scene, clues: Clues): Check[] {
  let act: Act;
  return [
    {
      name: 'A slow query: the alert on latency fires',
      needs: ALERTS,
      async run() {
        act = await slowQuery(scene, ACT_SECONDS);
        return clues.firing('OkapiLatencyBurnFast');
      },
    },
    {
      name: 'its exemplar leads to a trace, whose longest span is the statement that waits for the table',
      needs: TRACES,
      async run() {
        const { traceId, value } = await clues.exemplar(ME, act);
        const { root, statement } = longest(await clues.spans(traceId));
        const share = statement.durationMs / root.durationMs;
        const isCause = /\bsessions\b/.test(String(statement.tags['db.query.text'])) && share > MOST;
        const seen = `${value.toFixed(2)} s, ${statement.name} is ${Math.round(share * 100)} % of it, trace ${traceId}`;
        if (!isCause) throw new Error(seen);
        return seen;
      },
    },
    {
      name: 'and its access line says that PostgreSQL took the time',
      needs: LOGS,
      async run() {
        const { traceId } = await clues.exemplar(ME, act);
        const line = (await clues.lines(traceId)).find((each) => each['logger'] === 'app.http.access');
        const [took, ofIt] = [Number(line?.['extra.duration_ms']), Number(line?.['extra.postgres_ms'])];
        const seen = `duration_ms ${Math.round(took)}, postgres_ms ${Math.round(ofIt)}`;
        if (!(ofIt > MOST * took)) throw new Error(seen);
        return seen;
      },
    },
  ];
}

function failureChecks(scene: Scene, clues: Clues): Check[] {
  let act: Act;
  return [
    {
      name: 'A burst of errors: the alert on availability fires',
      needs: ALERTS,
      async run() {
        act = await failingStatement(scene, ACT_SECONDS);
        return `${await clues.firing('OkapiAvailabilityBurnFast')}, ${act.statuses.get(500)} answers with 500`;
      },
    },
    {
      name: 'its exemplar leads to a trace, whose statement failed with 42P01 (no such table)',
      needs: TRACES,
      async run() {
        const { traceId } = await clues.exemplar(ME, act);
        const failed = (await clues.spans(traceId)).find(({ tags }) => tags['error.type'] === '42P01');
        if (failed === undefined) throw new Error(`no span of ${traceId} has error.type 42P01`);
        return `${failed.name}, trace ${traceId}`;
      },
    },
    {
      name: 'and its error line says which table is missing',
      needs: LOGS,
      async run() {
        const { traceId } = await clues.exemplar(ME, act);
        const lines = await clues.lines(traceId);
        const said = lines.map((line) => line['exception.message']).find((message) => message !== undefined) ?? '';
        if (!said.includes('relation "sessions" does not exist')) throw new Error(`it says ${said}`);
        return said;
      },
    },
  ];
}

function mongoChecks(scene: Scene, clues: Clues): Check[] {
  let act: Act;
  return [
    {
      name: 'Mongo away: the alert on dependencies fires and names it',
      needs: ALERTS,
      async run() {
        act = await mongoAway(scene, MONGO_SECONDS);
        return `${await clues.firing('OkapiDependencyDown', { dependency: 'mongo' })}, mongo`;
      },
    },
    {
      name: 'the exemplar of a request that needs it leads to a trace that says so',
      needs: TRACES,
      async run() {
        const { traceId } = await clues.exemplar('/api/activity', act);
        const root = rootOf(await clues.spans(traceId));
        const seen = `${root.name}, okapi.error.code ${root.tags['okapi.error.code']}, trace ${traceId}`;
        if (root.tags['okapi.error.code'] !== 'mongo.unavailable') throw new Error(seen);
        return seen;
      },
    },
    {
      name: 'what does not need it is answered meanwhile, and the alert ends once Mongo is back',
      needs: ALERTS,
      async run() {
        const { statuses } = await ask(scene, ME, 1);
        if (statuses.size !== 1 || !statuses.has(200)) throw new Error(`answers: ${[...statuses.keys()].join(', ')}`);
        await scene.mongo.mend();
        return clues.silent('OkapiDependencyDown');
      },
    },
  ];
}
