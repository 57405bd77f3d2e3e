import { getCurrentUserSession, getLogger, type RouteContext, type SessionDeviceInfo } from '../../core/index.ts';

/** What administrators do here, by the name of its activity event. */
export type SwitchUse =
  | 'operations.log_level_changed'
  | 'operations.sampling_changed'
  | 'operations.profile_taken'
  | 'operations.requests_viewed'
  | 'operations.settings_viewed'
  | 'operations.switches_viewed';

/** Records that an administrator used a switch. Rejects when it cannot be recorded; then nothing is switched. */
export type RecordUse = (use: { type: SwitchUse; userId: string; device: SessionDeviceInfo }) => Promise<void>;

/** Of one process: every use is recorded and logged before it takes effect, every answer says where it holds. */
export type Uses = {
  /** `what` is one sentence without anything that came from elsewhere; that is in `extra`. */
  note(ctx: RouteContext, type: SwitchUse, what: string, extra?: Readonly<Record<string, unknown>>): Promise<void>;
  /** For `ctx.respond.success`, and for errors: `meta.process` names the process that it is about. */
  readonly here: { readonly metaExtensions: { readonly process: { instance: string; pid: number } } };
};

/** `instance` is the `service.instance.id` of this process. */
export function createUses(record: RecordUse, instance: string): Uses {
  const logger = getLogger('app.operations.switches');
  return {
    async note(ctx, type, what, extra) {
      await record({ type, userId: getCurrentUserSession(ctx).userId, device: ctx.state.deviceInfo });
      logger.info(what, { use: type, ...extra });
    },
    here: { metaExtensions: { process: { instance, pid: process.pid } } },
  };
}
