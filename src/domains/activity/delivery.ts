import { isMongoUnavailable } from '../../db/mongo/unavailable.ts';
import type { OutboxMessage, Receiver } from '../../db/outbox/outbox.ts';
import type { ActivityEvent, ActivityStore, Change } from './store.ts';

/** What activity writes to the outbox, in its migrations and in `refusals.ts`. */
type Message =
  | { event: Omit<ActivityEvent, '_id' | 'at'> }
  | { erase: string }
  | { refusals: Pick<ActivityEvent, 'type' | 'ip_address'> };

/** Takes activity from the outbox to its store. */
export function createActivityReceiver(events: Pick<ActivityStore, 'apply'>, ping: () => Promise<void>): Receiver {
  return {
    deliver: (messages) => events.apply(messages.map(toChange)),
    ping,
    isUnavailable: isMongoUnavailable,
  };
}

function toChange({ messageId: _id, at, quantity, message }: OutboxMessage): Change {
  const known = message as Message;
  if ('erase' in known) return { anonymize: known.erase };
  if ('event' in known) return { insert: { _id, at, ...known.event } };
  const nobody = { user_id: null, request_id: null, trace_id: null, device: {} };
  return { insert: { _id, at, ...nobody, ...known.refusals, count: quantity } };
}
