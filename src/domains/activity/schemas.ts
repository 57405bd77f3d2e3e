import Type from 'typebox';
import { BaseDTO } from '../../core/index.ts';

const NullableString = Type.Union([Type.String(), Type.Null()]);

/** An event as the API shows it. */
export const ActivityView = BaseDTO(
  {
    id: Type.String({ format: 'uuid' }),
    type: Type.String({ examples: ['auth.signed_in'] }),
    at: Type.String({ format: 'date-time' }),
    request_id: NullableString,
    trace_id: NullableString,
    ip_address: Type.String({ examples: ['192.0.2.1'] }),
    device: Type.Record(Type.String(), Type.Unknown()),
  },
  { title: 'ActivityView' },
);
