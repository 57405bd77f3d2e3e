import Type from 'typebox';
import { BaseDTO } from '../../core/index.ts';

const NullableString = Type.Union([Type.String(), Type.Null()]);

/** An event as the API shows it. */
export const ActivityView = BaseDTO({
  id: Type.String({ format: 'uuid' }),
  type: Type.String(),
  at: Type.String({ format: 'date-time' }),
  request_id: NullableString,
  trace_id: NullableString,
  ip_address: Type.String(),
  device: Type.Record(Type.String(), Type.Unknown()),
});
