import type { Static } from 'typebox';
import type { ActivityView } from './schemas.ts';
import type { ActivityEvent } from './store.ts';

/** An event as the API shows it. */
export function toActivityView({ _id, user_id: _owner, at, ...rest }: ActivityEvent): Static<typeof ActivityView> {
  return { id: _id, ...rest, at: at.toISOString() };
}
