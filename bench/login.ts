import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { measureLoginFlood } from './login-flood.ts';
import { measureLoginTiming } from './login-timing.ts';
import { parseOptions } from './options.ts';
import { sayFindings } from './report/findings.ts';
import { startOkapi } from './start-candidates.ts';
import { Workbench } from './workbench.ts';

/** `npm run bench:login`: whether time tells who has an account, and what a flood of logins does to everybody else. */
await runCommand(async (signal) => {
  const work = join(import.meta.dirname, '.work');
  mkdirSync(work, { recursive: true });
  const logDir = mkdtempSync(join(work, 'login-'));
  // Whoever floods is refused by the rate limits long before; what is measured is what holds without them.
  const env = [`LOG_DIR=${logDir}`, 'RATE_LIMIT_ENABLED=false'];
  const bench = await Workbench.open(parseOptions(env.flatMap((setting) => ['--env', setting])), signal);
  try {
    const candidate = await startOkapi(bench, 'okapi-users');
    const findings = [
      ...(await measureLoginTiming(bench, candidate)),
      ...(await measureLoginFlood(bench, candidate, logDir)),
    ];
    await bench.stop(candidate.server);
    return sayFindings(findings, bench.say);
  } finally {
    await bench.close();
    rmSync(logDir, { recursive: true });
  }
});
