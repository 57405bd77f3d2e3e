import Type from 'typebox';
import { BaseDTO } from '../core/index.ts';

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

/** The dependencies and faults only for those who may see details. */
export const HealthView = BaseDTO({ status: Status, ...details }, { title: 'HealthView' });

export const LivenessView = BaseDTO({ status: Type.Literal('ok') }, { title: 'LivenessView' });

/** As `HealthView`, with whether requests should be sent here. */
export const ReadinessView = BaseDTO({ ready: Type.Boolean(), status: Status, ...details }, { title: 'ReadinessView' });
