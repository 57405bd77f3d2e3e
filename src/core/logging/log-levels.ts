import { type Expiring, ExpiringMap } from '../expiring-map.ts';
import { type LevelName, RANK } from './levels.ts';

/** What loggers write in place of what the destinations take. A name covers the loggers below it. */
export type LevelOverrides = {
  readonly lowestRank: number;
  /** Of the nearest name: `app.auth` covers `app.auth.service`, not `app.authors`. */
  rankOf(logger: string): number | undefined;
};

const MAX_LEVELS = 50;

/** Levels of loggers that were set for a while. When none is, `overrides` is `undefined` and costs nothing. */
export class LogLevels {
  readonly #levels: ExpiringMap<LevelName>;
  #overrides: LevelOverrides | undefined;

  /** `onChange` is called when `overrides` is another one. */
  constructor(onChange: () => void) {
    this.#levels = new ExpiringMap(MAX_LEVELS, () => {
      this.#overrides = overridesOf([...this.#levels.values()]);
      onChange();
    });
  }

  get overrides(): LevelOverrides | undefined {
    return this.#overrides;
  }

  /**
   * For `seconds`, a logger and those below it write `level` and above, to every destination, and nothing below it.
   * Returns `undefined` when too many are set already.
   */
  set(logger: string, level: LevelName, seconds: number): Expiring<LevelName> | undefined {
    return this.#levels.set(logger, level, seconds);
  }

  /** Whether one more may be set, or one that is there anew. */
  hasRoomFor(logger: string): boolean {
    return this.#levels.hasRoomFor(logger);
  }

  has(logger: string): boolean {
    return this.#levels.get(logger) !== undefined;
  }

  /** Ends it before its time. Whether there was one. */
  remove(logger: string): boolean {
    return this.#levels.delete(logger);
  }

  list(): Expiring<LevelName>[] {
    return [...this.#levels.values()];
  }
}

function overridesOf(levels: readonly Expiring<LevelName>[]): LevelOverrides | undefined {
  if (levels.length === 0) return undefined;
  const ranks = new Map(levels.map(({ key, value }) => [key, RANK[value]]));
  return {
    lowestRank: Math.min(...ranks.values()),
    rankOf(logger) {
      for (let name = logger; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
        const rank = ranks.get(name);
        if (rank !== undefined) return rank;
      }
      return undefined;
    },
  };
}
