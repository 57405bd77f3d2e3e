import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../servers.ts';
import { say } from '../workbench.ts';
import { barsOf, plot } from './plot.ts';
import { type Results, reasonsNotToStore, writeBaseline } from './results.ts';

/** Stores results as the baseline and draws the plot of the documentation, or says why they are not good for it. */
export function store(results: Results, isPinned: boolean): void {
  const reasonsAgainst = reasonsNotToStore(results, isPinned);
  if (reasonsAgainst.length > 0) {
    say(`Not stored: ${reasonsAgainst.join('; ')}`);
    return;
  }
  writeBaseline(results);
  if (results.compared !== undefined) {
    const { rounds, connections } = results.load;
    const subtitle = `requests/s of GET / over those of node:http, ${rounds} rounds, ${connections} connections; line: lowest to highest round`;
    writeFileSync(
      join(ROOT, 'docs', 'performance.svg'),
      plot(barsOf(results.compared), 'Okapi and its peers', subtitle),
    );
  }
  say('Stored in bench/results/baseline.json and docs/performance.svg');
}
