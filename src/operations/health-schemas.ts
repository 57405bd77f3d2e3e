import { BaseDTO, Type } from '../core/index.ts';
import { DROP_CAUSES } from '../core/telemetry/ledger.ts';

const NullableString = Type.Union([Type.String(), Type.Null()]);
const Status = Type.Enum(['ok', 'degraded', 'down'], { description: 'Of all dependencies together' });

const DependencyView = BaseDTO(
  {
    state: Type.Enum(['up', 'down', 'unknown']),
    required: Type.Boolean({ description: 'Whether the service is not ready without it' }),
    latency_ms: Type.Union([Type.Integer(), Type.Null()]),
    checked_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    last_error: NullableString,
  },
  { title: 'DependencyView' },
);

/** For those who may see them: METRICS_TOKEN and METRICS_PORT decide. */
const details = {
  dependencies: Type.Optional(Type.Record(Type.String(), DependencyView)),
  draining: Type.Optional(Type.Boolean({ description: 'Whether the service is about to stop' })),
  faults: Type.Optional(Type.Array(Type.String(), { description: 'Faults of the process itself' })),
};

const Count = Type.Integer({ minimum: 0 });

/** What was begun is the sum of all that follows but the last. */
const AccountView = BaseDTO(
  {
    started: Count,
    sampled_out: Count,
    exported: Count,
    dropped: BaseDTO(Object.fromEntries(DROP_CAUSES.map((cause) => [cause, Count]))),
    in_flight: BaseDTO({ open: Count, queued: Count, sending: Count }),
    unacknowledged: Type.Integer({
      minimum: 0,
      description: 'Of what is in flight or dropped: sent without an answer, so the receiver may have it',
    }),
  },
  { title: 'AccountView' },
);

const telemetry = BaseDTO(
  {
    spans: Type.Optional(AccountView),
    log_records: Type.Optional(AccountView),
    metric_exports: Type.Optional(AccountView),
  },
  { title: 'TelemetryView', description: 'What became of what is exported by OTLP; signals that are not are left out' },
);

/** The dependencies and faults only for those who may see details. */
export const HealthView = BaseDTO(
  { status: Status, ...details, telemetry: Type.Optional(telemetry) },
  { title: 'HealthView' },
);

export const LivenessView = BaseDTO({ status: Type.Literal('ok') }, { title: 'LivenessView' });

/** As `HealthView`, with whether requests should be sent here. */
export const ReadinessView = BaseDTO({ ready: Type.Boolean(), status: Status, ...details }, { title: 'ReadinessView' });
