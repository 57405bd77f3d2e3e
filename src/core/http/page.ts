import { createHmac, timingSafeEqual } from 'node:crypto';
import { ValidationError } from '../errors/app-http-error.ts';
import { BaseDTO } from './dto.ts';
import { Type } from './type.ts';

/** The query of a list: `limit` (1 to 100, default 20) and the `cursor` that the page before gave. */
export const PageQuery = BaseDTO({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
});

/** `meta.page` of a list. */
export type Page = { limit: number; next_cursor: string | null };

const MAC_BYTES = 16;

/** Makes and reads cursors: the place after which the next page begins, signed so that nobody makes one up. */
export class Cursors {
  readonly #keys: () => readonly Buffer[];

  /**
   * `secret` is any key of the service; cursors are signed with one derived from it. Where keys rotate, a function gives
   * those of now: the first signs, and cursors of the others are taken.
   */
  constructor(secret: string | (() => readonly Buffer[])) {
    const derive = (from: string | Buffer) => createHmac('sha256', from).update('okapi.cursor').digest();
    const fixed = typeof secret === 'string' ? [derive(secret)] : [];
    this.#keys = typeof secret === 'string' ? () => fixed : () => secret().map(derive);
  }

  /** `scope` is the list and whose it is: a cursor of one list is none of another. */
  encode(scope: string, place: readonly (string | number)[]): string {
    const payload = Buffer.from(JSON.stringify(place));
    const [key] = this.#keys();
    if (key === undefined) throw new Error('There is no key to sign cursors with');
    return Buffer.concat([mac(key, scope, payload), payload]).toString('base64url');
  }

  /** Throws `ValidationError` (422) for a cursor that this service did not make for this list. */
  decode(scope: string, cursor: string): (string | number)[] {
    const bytes = Buffer.from(cursor, 'base64url');
    const payload = bytes.subarray(MAC_BYTES);
    const given = bytes.subarray(0, MAC_BYTES);
    const isCanonical = bytes.toString('base64url') === cursor && payload.length > 0;
    if (!isCanonical || !this.#keys().some((key) => timingSafeEqual(given, mac(key, scope, payload)))) {
      throw new ValidationError([{ field: '/query/cursor', message: 'is not a cursor of this list', rule: 'cursor' }]);
    }
    return JSON.parse(payload.toString());
  }

  /**
   * One page of a list of which one more than `limit` was asked for: that there is one more tells that there is another
   * page. `placeOf` says after what that begins.
   */
  pageOf<T>(
    scope: string,
    limit: number,
    found: readonly T[],
    placeOf: (last: T) => readonly (string | number)[],
  ): { items: T[]; page: Page } {
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? this.encode(scope, placeOf(last)) : null;
    return { items, page: { limit, next_cursor: next } };
  }
}

function mac(key: Buffer, scope: string, payload: Buffer): Buffer {
  return createHmac('sha256', key).update(scope).update('\0').update(payload).digest().subarray(0, MAC_BYTES);
}
