import { BaseDTO, type Static, Type } from '../../core/index.ts';

/** Everything that is recorded of an account. */
export const ActivityType = Type.Enum(
  [
    'auth.registered',
    'auth.signed_in',
    'auth.refused',
    'auth.limited',
    'auth.refreshed',
    'auth.refresh_replayed',
    'auth.signed_out',
    'auth.session_revoked',
    'auth.password_changed',
    'auth.password_reset',
    'auth.verified',
    'user.email_changed',
    'user.roles_changed',
    'user.disabled',
    'user.enabled',
    'user.deleted',
    'operations.log_level_changed',
    'operations.sampling_changed',
    'operations.profile_taken',
    'operations.requests_viewed',
    'operations.settings_viewed',
    'operations.switches_viewed',
  ],
  { examples: ['auth.signed_in'] },
);
export type ActivityType = Static<typeof ActivityType>;

const NullableString = Type.Union([Type.String(), Type.Null()]);

/** An event as the API shows it. */
export const ActivityView = BaseDTO(
  {
    id: Type.String({ format: 'uuid' }),
    type: ActivityType,
    at: Type.String({ format: 'date-time' }),
    request_id: NullableString,
    trace_id: NullableString,
    ip_address: Type.Union([Type.String({ examples: ['192.0.2.1'] }), Type.Null()], {
      description: 'null when somebody else than the user did it',
    }),
    device: Type.Record(Type.String(), Type.Unknown()),
  },
  { title: 'ActivityView' },
);
