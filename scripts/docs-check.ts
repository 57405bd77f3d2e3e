import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences, readConsoleBlocks, type Step } from './console-blocks.ts';
import { startServiceIn } from './started-service.ts';

/*
 * `npm run docs:check [FILE]` runs the console blocks of README.md against a service that was started for it, on
 * embedded stores, a free port and folders of its own, and says where the document and reality differ.
 *
 * The blocks are one session of one shell, so variables last. `$ npm start` is that start itself: its documented output
 * is looked for in what the service printed. Between steps a moment passes, as it does when a person types them; log
 * lines and activity events reach their store after the answer.
 */

const ROOT = join(import.meta.dirname, '..');
const SHELL_TIMEOUT_MS = 60_000;
const PAUSE_SECONDS = 0.15;

type Result = { output: string; status: number };

process.exitCode = (await check(process.argv[2] ?? join(ROOT, 'README.md'))) ? 0 : 1;

async function check(file: string): Promise<boolean> {
  const steps = readConsoleBlocks(readFileSync(file, 'utf8'));
  if (steps.length === 0) {
    process.stdout.write(`${file} has no console blocks\n`);
    return false;
  }
  const folder = mkdtempSync(join(tmpdir(), 'okapi-docs-'));
  const service = startServiceIn(folder);
  // Called off, the commands fail one after the other and everything is tidied up below.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void service.stop());
  try {
    const { port, printed } = await service.ready;
    const walk = steps.filter(({ command }) => !isStart(command));
    const results = await runInOneShell(walk, folder, port);
    const asDocumented = (text: string) => text.replaceAll(`localhost:${port}`, 'localhost:3000');
    return steps
      .map((step) => {
        if (isStart(step.command)) return report(step, startProblems(step, asDocumented(printed)));
        const result = results[walk.indexOf(step)];
        return report(step, result === undefined ? ['it was not run'] : problems(step, result, asDocumented));
      })
      .every((isTrue) => isTrue);
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function isStart(command: string): boolean {
  return command === 'npm start';
}

function startProblems({ output }: Step, printed: string): string[] {
  return printed.includes(output) ? [] : differences(output, printed);
}

function problems(step: Step, { output, status }: Result, asDocumented: (text: string) => string): string[] {
  return [...(status === 0 ? [] : [`its exit code is ${status}`]), ...differences(step.output, asDocumented(output))];
}

function report({ command, line }: Step, found: readonly string[]): boolean {
  const [first = ''] = command.split('\n');
  process.stdout.write(`${found.length === 0 ? 'ok    ' : 'DIFFERS'} line ${line}: ${first}\n`);
  for (const problem of found) process.stdout.write(`        ${problem}\n`);
  return found.length === 0;
}

/** Runs all commands in one shell, and tells their outputs apart by a marker that none of them prints. */
async function runInOneShell(steps: readonly Step[], folder: string, port: string): Promise<Result[]> {
  const marker = `end-of-step-${randomUUID()}`;
  const script = steps
    .map(({ command }) => command.replaceAll('localhost:3000', `localhost:${port}`))
    .map((command) => `{ ${command}\n} 2>&1\nprintf '%s %s\\n' '${marker}' "$?"\nsleep ${PAUSE_SECONDS}\n`)
    .join('');
  const shell = spawn('sh', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => shell.kill('SIGKILL'), SHELL_TIMEOUT_MS);
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  await once(shell, 'close');
  clearTimeout(timer);
  const parts = output.split(new RegExp(`${marker} (\\d+)\\n`));
  return steps.flatMap((_, index) => {
    const status = parts[index * 2 + 1];
    return status === undefined ? [] : [{ output: parts[index * 2] ?? '', status: Number(status) }];
  });
}
