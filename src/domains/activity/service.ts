import { type Cursors, type Page, ServiceUnavailableError } from '../../core/index.ts';
import type { ActivityEvent, ActivityStore, Place } from './store.ts';

export type ActivityPage = { events: ActivityEvent[]; page: Page };

export type ActivityService = {
  /** One page of a user's events, newest first. Throws 422 on a foreign cursor, 503 while Mongo is away. */
  listMine(userId: string, limit: number, cursor?: string): Promise<ActivityPage>;
};

export function createActivityService(store: ActivityStore, cursors: Cursors): ActivityService {
  return {
    async listMine(userId, limit, cursor) {
      const scope = `activity:${userId}`;
      const after = cursor === undefined ? undefined : toPlace(cursors.decode(scope, cursor));
      const found = await store.findEventsOfUser(userId, limit + 1, after).catch((cause: unknown) => {
        throw new ServiceUnavailableError('The activity cannot be read at this moment', {
          code: 'mongo.unavailable',
          cause,
        });
      });
      const { items, page } = cursors.pageOf(scope, limit, found, ({ at, _id }) => [at.getTime(), _id]);
      return { events: items, page };
    },
  };
}

function toPlace([at, id]: (string | number)[]): Place {
  return { at: new Date(Number(at)), id: String(id) };
}
