import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startServer } from './server.ts';

/*
 * The process of the embedded Mongo server, for development and tests. It lives as long as its stdin: when the parent
 * closes that pipe, or ends in any way, it finishes what it is doing and ends too. Ready, it says so in one line of JSON
 * on stdout; what stops it is one line on stderr.
 */

const LOCK_WAIT_MS = 10_000;
const CLOSE_MS = 800;

const { values } = parseArgs({
  options: {
    file: { type: 'string', default: '' },
    'password-file': { type: 'string', default: '' },
    'sweep-every-ms': { type: 'string', default: '60000' },
  },
});

// Of a terminal's Ctrl-C the parent decides what it means.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', fail);
// Nobody may be there to read what this process says.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const starting = startServer({
  file: values.file,
  password: readFileSync(values['password-file'], 'utf8').trim(),
  lockWaitMs: LOCK_WAIT_MS,
  sweepEveryMs: Number(values['sweep-every-ms']),
  onWireError: (error) => process.stderr.write(`connection closed: ${error.message}\n`),
});

process.on('SIGTERM', end);
process.stdin.on('error', end).on('close', end).on('end', end).resume();

const { port } = await starting.catch(fail);
process.stdout.write(`${JSON.stringify({ server: 'okapi embedded mongo', port })}\n`);

let isEnding = false;
function end(): void {
  if (isEnding) return;
  isEnding = true;
  // What is committed is on the disk already, so being cut off here costs nothing.
  setTimeout(() => process.exit(0), CLOSE_MS).unref();
  starting.then((server) => server.close()).then(() => process.exit(0), fail);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
