import { type AccessEntry, accessLevel } from './access-entry.ts';
import { ACCESS_LOGGER, accessConstant, accessJson, accessRecord } from './access-line.ts';
import { callSiteOf } from './call-site.ts';
import { emit, runningPipeline } from './hub.ts';
import { RANK } from './levels.ts';

const MOST_SHED_A_SECOND = 10;

/** Lets the first ten shed requests of a second through and counts the others. */
class ShedLines {
  #second = 0;
  #passed = 0;
  #suppressed = 0;

  passes(timeMs: number): boolean {
    const second = Math.floor(timeMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#passed = 0;
    }
    if (this.#passed < MOST_SHED_A_SECOND) {
      this.#passed++;
      return true;
    }
    this.#suppressed++;
    return false;
  }

  /** How many went unlogged since this was last asked. */
  takeSuppressed(): number {
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    return suppressed;
  }
}

/**
 * The writer of access lines, the one wide line of a request; its call site is where this is called. Costs about a
 * microsecond a line. A 5xx stands in `app.json` only. Of shed requests ten a second are written; how many were not is
 * said on the next access line that is.
 */
export function createAccessLog(now: () => number = Date.now): (entry: AccessEntry) => void {
  const site = callSiteOf(createAccessLog);
  const shed = new ShedLines();
  let constant = '';
  let madeFor = '';
  return function logAccess(entry) {
    const timeMs = now();
    const rank = RANK[accessLevel(entry)];
    const pipeline = runningPipeline();
    if (pipeline !== undefined && !pipeline.wants(rank, ACCESS_LOGGER)) return;
    if (entry.shed === true && !shed.passes(timeMs)) return;
    const suppressed = shed.takeSuppressed();
    if (pipeline === undefined) {
      emit(accessRecord(entry, timeMs, suppressed, site));
      return;
    }
    const record = pipeline.needsRecord(rank, ACCESS_LOGGER)
      ? accessRecord(entry, timeMs, suppressed, site)
      : undefined;
    if (madeFor !== pipeline.serviceJson) {
      madeFor = pipeline.serviceJson;
      constant = accessConstant(site, madeFor);
    }
    pipeline.writeLine(rank, ACCESS_LOGGER, accessJson(entry, timeMs, suppressed, constant), record, false);
  };
}
