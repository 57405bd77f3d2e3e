import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { linesOf, removeTemporaryDirectories, temporaryDirectory } from './harness.ts';

const CHILD = join(import.meta.dirname, 'child.ts');
const running = new Set<ChildProcess>();

function run(args: string[], stderr: 'pipe' | 'ignore' | number = 'ignore'): ChildProcess {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', stderr] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

interface End {
  readonly code: number | null;
  readonly said: {
    [key: string]: unknown;
    stopMs: number;
    stats: Record<string, { dropped: number; queuedBytes: number }>;
  };
}

/** Waits for the end of a child and merges what it said. */
async function ended(child: ChildProcess): Promise<End> {
  if (child.stdout === null) throw new Error('No stdout');
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const said = Object.assign(
    {},
    ...output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
  return { code, said };
}

describe('the end of a process', () => {
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
  });
  after(removeTemporaryDirectories);

  it('on SIGTERM has every line on disk, 20,000 of one loop too', async () => {
    const dir = temporaryDirectory();
    const child = run(['signal', dir, '20000']);
    child.stdout?.once('data', () => child.kill('SIGTERM'));
    const { code, said } = await ended(child);
    expect(code).to.equal(0);
    expect(said.stopMs).to.be.below(10_000);
    const lines = linesOf(dir, 'app.json');
    expect(lines.map((line) => line.extra['n'])).to.deep.equal(Array.from({ length: 20_000 }, (_, n) => n));
    expect(realpathSync(join(dir, 'app.json'))).to.equal(realpathSync(join(dir, 'app-part.json')));
  });

  for (const [mode, message] of [
    ['uncaught', 'nobody catches this'],
    ['rejection', 'nobody handles this'],
  ] as const) {
    it(`by an error that is ${mode} has that error and every line before it on disk`, async () => {
      const dir = temporaryDirectory();
      const { code } = await ended(run([mode, dir, '3000']));
      expect(code).to.equal(1);
      const lines = linesOf(dir, 'app.json');
      expect(lines).to.have.length(3_001);
      expect(lines.at(-1)?.exception.message).to.equal(message);
      expect(linesOf(dir, 'error.json').map((line) => line.exception.message)).to.deep.equal([message]);
    });
  }

  it('by process.exit() loses no line either', async () => {
    const dir = temporaryDirectory();
    expect((await ended(run(['exit', dir, '5000']))).code).to.equal(3);
    expect(linesOf(dir, 'app.json')).to.have.length(5_000);
  });

  it('has the first 1,000 lines from before the start, in order and before all others', async () => {
    const dir = temporaryDirectory();
    const { said } = await ended(run(['early', dir]));
    const lines = linesOf(dir, 'app.json');
    expect(lines).to.have.length(1_002);
    expect(lines[999]?.extra['n']).to.equal(999);
    expect(lines[1_000]?.message, 'what is missing is said').to.equal('10 log lines were dropped: before the start');
    expect(lines[1_001]?.message).to.equal('late');
    expect(said.stats['droppedBeforeStart']).to.equal(10);
  });

  it('shows what was logged on stderr when logging never started', async () => {
    const child = run(['neverStarted'], 'pipe');
    const [shown] = await Promise.all([text(child.stderr as Readable), ended(child)]);
    expect(shown).to.match(/ INFO .* app\.test\.child early\n/);
  });
});

describe('a console that nobody reads', () => {
  after(removeTemporaryDirectories);

  async function flood(stderr: 'pipe' | number): Promise<End> {
    const child = run(['flood', temporaryDirectory(), '12000'], stderr);
    return ended(child);
  }

  function expectBounded({ code, said }: End): void {
    expect(code).to.equal(0);
    expect(said['slowestMs']).to.be.below(10_000);
    expect(said['rssMb']).to.be.below(400);
    expect(said.stopMs).to.be.below(10_000);
    expect(said.stats['console']?.dropped).to.be.above(2_000);
    expect(said.stats['console']?.queuedBytes).to.equal(0);
  }

  it('holds up nobody and is bounded when it is a pipe', async () => {
    const fifo = join(temporaryDirectory(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const fd = openSync(fifo, 'r+');
    try {
      expectBounded(await flood(fd));
    } finally {
      closeSync(fd);
    }
  });

  it('holds up nobody and is bounded when it is a socket', async () => {
    expectBounded(await flood('pipe'));
  });

  it('ends nothing when its reader is gone', async () => {
    const child = run(['flood', temporaryDirectory(), '3000'], 'pipe');
    child.stderr?.destroy();
    const { code, said } = await ended(child);
    expect(code).to.equal(0);
    expect(said.stopMs).to.be.below(10_000);
  });
});

describe('a second process with the same directory', () => {
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
  });
  after(removeTemporaryDirectories);

  it('writes files of its own, and the first files belong to whoever comes after the first', async () => {
    const dir = temporaryDirectory();
    const owner = run(['signal', dir, '0']);
    await once(owner.stdout ?? owner, 'data');
    const second = run(['exit', dir, '7']);
    await ended(second);
    expect(linesOf(dir, `app.${second.pid}.json`)).to.have.length(7);
    expect(readlinkSync(join(dir, `error.${second.pid}.json`))).to.equal(`error.${second.pid}-part.json`);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await ended(run(['exit', dir, '7']));
    expect(linesOf(dir, 'app.json')).to.have.length(7);
  });
});
