import type { Static } from '../../core/index.ts';
import type { ActivityView } from './schemas.ts';
import type { ActivityEvent } from './store.ts';

/** The outbox keeps `jsonb`, which has an order of its own. */
const DEVICE_PARTS = ['user_agent', 'device_type', 'os', 'browser', 'app_version'];

/** An event as the API shows it. */
export function toActivityView(event: ActivityEvent): Static<typeof ActivityView> {
  const { _id: id, type, at, request_id, trace_id, ip_address, device } = event;
  const parts = DEVICE_PARTS.filter((part) => part in device).map((part) => [part, device[part]]);
  return { id, type, at: at.toISOString(), request_id, trace_id, ip_address, device: Object.fromEntries(parts) };
}
