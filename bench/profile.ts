import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure, send } from './measure.ts';
import { connectInspector } from './processes/inspector.ts';
import { type CpuProfile, profileSummary } from './report/profile-summary.ts';
import { RESULTS } from './report/results.ts';
import { startCandidates } from './start-candidates.ts';
import { selectSubjects } from './subjects.ts';
import type { Workbench } from './workbench.ts';

const WARM_UP_SECONDS = 4;
const SAMPLING_MICROSECONDS = 250;

/** Takes a CPU profile of Okapi under load once it is warm, and says where the time went. */
export async function takeProfile(bench: Workbench): Promise<void> {
  const { only, warmUp, seconds } = bench.options;
  const subjects = selectSubjects(only ?? ['okapi']);
  const { candidates } = await startCandidates(bench, subjects, [], ['--inspect=127.0.0.1:0']);
  const [candidate] = candidates;
  if (candidate === undefined || !candidate.server.isOkapi) throw new Error('--profile is for an Okapi');
  bench.say(`warm-up    ${candidate.subject.title}`);
  await send(bench, candidate, warmUp, WARM_UP_SECONDS);
  const inspector = await connectInspector(candidate.server.running.output());
  await inspector.send('Profiler.enable');
  await inspector.send('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS });
  await inspector.send('Profiler.start');
  const { perSecond } = await measure(bench, candidate, seconds);
  const { profile } = await inspector.send<{ profile: CpuProfile }>('Profiler.stop');
  inspector.close();
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, 'okapi.cpuprofile'), JSON.stringify(profile));
  const summary = profileSummary(profile);
  writeFileSync(join(RESULTS, 'okapi-profile.txt'), summary);
  bench.say(
    `${summary}\n${perSecond.toFixed(0)} requests/s while profiled; bench/results/okapi.cpuprofile has all of it`,
  );
}
