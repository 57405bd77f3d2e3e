import type { Measurement } from '../measure.ts';
import { MEMORY_GROWTH_AT_MOST, RATIO_TARGETS, START_MS_AT_MOST } from '../targets.ts';
import type { Parts } from './results.ts';
import { pairedRatio, type Spread } from './statistics.ts';

/** A target and what was measured for it. */
export type Judgement = Spread & {
  id: string;
  title: string;
  atLeast?: number;
  atMost?: number;
  /** Whether the median keeps the target. */
  isMet: boolean;
};

type Limits = { atLeast?: number; atMost?: number };

/** Judges every target for which something was measured. */
export function judge({ compared, memory, start }: Parts): Judgement[] {
  const judgements: Judgement[] = [];
  for (const { id, title, measure, of, to, ...limits } of RATIO_TARGETS) {
    const [ofRounds = [], toRounds = []] = [compared?.rounds[of], compared?.rounds[to]];
    if (ofRounds.length === 0 || toRounds.length === 0) continue;
    const values = (rounds: readonly Measurement[]) => rounds.map((round) => round[measure]);
    judgements.push(judged(id, title, pairedRatio(values(ofRounds), values(toRounds)), limits));
  }
  if (start !== undefined) {
    judgements.push(judged('start', 'start to first answer, in ms', start, { atMost: START_MS_AT_MOST }));
  }
  if (memory !== undefined) {
    const growth = { median: memory.growth, min: memory.growth, max: memory.growth };
    const title = 'memory after 1,000,000 requests against after 100,000';
    judgements.push(judged('memory', title, growth, { atMost: MEMORY_GROWTH_AT_MOST }));
  }
  return judgements;
}

function judged(id: string, title: string, spread: Spread, limits: Limits): Judgement {
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = limits;
  return { id, title, ...spread, ...limits, isMet: spread.median >= atLeast && spread.median <= atMost };
}
