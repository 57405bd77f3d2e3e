import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { preferred } from '../processes/priority.ts';
import { autocannonCommand, parseAutocannon } from './autocannon.ts';
import type { LoadRequest, LoadResult } from './result.ts';
import { parseWrk, wrkCommand } from './wrk.ts';

export type LoadTool = {
  name: 'wrk' | 'autocannon';
  version: string;
  run(request: LoadRequest, signal: AbortSignal): Promise<LoadResult>;
};

const run = promisify(execFile);
const GRACE_MS = 20_000;

/** wrk when it is installed, else autocannon, which takes more of its core and is compared with nothing stored. */
export function findLoadTool(): LoadTool {
  const found = spawnSync('wrk', ['--version'], { encoding: 'utf8' });
  if (found.error === undefined) {
    const version = /wrk (?:debian\/)?(\S+)/.exec(found.stdout + found.stderr)?.[1] ?? 'unknown';
    return { name: 'wrk', version, run: runner((request) => preferred(wrkCommand(request)), parseWrk) };
  }
  return { name: 'autocannon', version: 'see bench/peers', run: runner(autocannonCommand, parseAutocannon) };
}

function runner(
  command: (request: LoadRequest) => readonly string[],
  parse: (output: string) => LoadResult,
): LoadTool['run'] {
  return async (request, signal) => {
    const [program = '', ...args] = command(request);
    const timeout = request.seconds * 1000 + GRACE_MS;
    const { stdout } = await run(program, args, {
      signal,
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1024 * 1024,
    });
    return parse(stdout);
  };
}
