import type { HistogramChild } from '../../core/telemetry/metrics/children.ts';
import { statementDurations } from '../../core/telemetry/metrics/durations.ts';
import { dbPostgresQueryDuration } from '../../core/telemetry/metrics/metrics.ts';
import { POSTGRES_SCOPE } from '../../core/telemetry/scopes.ts';
import { ClientSpanShape } from '../../core/telemetry/spans/client-span.ts';
import { type Operation, operationOf } from './operation.ts';
import { summaryOf, withoutLiterals } from './query-text.ts';

/** Where the statements go, as the semantic conventions say it. */
export type Server = { address: string; port: number; database: string };

/** What telemetry needs to know of a statement; found once for each text. */
export type StatementKind = {
  readonly span: ClientSpanShape;
  /** Whether a statement that touched so many rows did something, as opposed to having looked. */
  isWork(rows: number): boolean;
  /** `db_postgres_query_duration_seconds`. */
  readonly latency: HistogramChild;
  /** `db.client.operation.duration`, of those that succeed. */
  readonly duration: HistogramChild;
  /** The same of those that fail with this code. */
  failed(errorType: string): HistogramChild;
};

const MAX_KINDS = 2000;

/** The kinds of the statements that a database was asked. Bounded: beyond, a kind is made anew each time. */
export class StatementKinds {
  readonly #server: Server;
  readonly #kinds = new Map<string, StatementKind>();

  constructor(server: Server) {
    this.#server = server;
  }

  of(text: string): StatementKind {
    const known = this.#kinds.get(text);
    if (known !== undefined) return known;
    const kind = createKind(text, this.#server);
    if (this.#kinds.size < MAX_KINDS) this.#kinds.set(text, kind);
    return kind;
  }
}

const never = () => false;
const whenTouched = (rows: number) => rows > 0;
const WORK: Readonly<Record<Operation, (rows: number) => boolean>> = {
  SELECT: never,
  BEGIN: never,
  COMMIT: never,
  ROLLBACK: never,
  INSERT: whenTouched,
  UPDATE: whenTouched,
  DELETE: whenTouched,
  OTHER: () => true,
};

/** Which server it is: database semantic conventions for PostgreSQL, stable. */
export function serverAttributes({ address, port, database }: Server) {
  return {
    'db.system.name': 'postgresql',
    'db.namespace': database,
    'server.address': address,
    'server.port': port,
  };
}

function createKind(text: string, server: Server): StatementKind {
  const operation = operationOf(text);
  const common = { ...serverAttributes(server), 'db.operation.name': operation };
  const summary = summaryOf(operation, text);
  return {
    span: new ClientSpanShape(POSTGRES_SCOPE, summary, {
      ...common,
      'db.query.summary': summary,
      'db.query.text': withoutLiterals(text),
    }),
    isWork: WORK[operation],
    latency: dbPostgresQueryDuration.labels({ operation }),
    duration: statementDurations.bind(common),
    failed: (errorType) => statementDurations.bind({ ...common, 'error.type': errorType }),
  };
}
