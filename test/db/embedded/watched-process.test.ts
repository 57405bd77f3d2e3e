import { expect } from 'chai';
import { startWatched, type WatchedOptions, type WatchedProcess } from '../../../src/db/embedded/watched-process.ts';
import { eventually } from '../../support/eventually.ts';
import { isAlive, killParents, startParent } from './parent-process.ts';

const SOURCE = import.meta.resolve('../../../src/db/embedded/watched-process.ts');
const NEVER_ENDS = 'process.on("SIGINT", () => {}); setInterval(() => {}, 1000); console.log(process.pid)';
const ENDS_ON_SIGINT =
  'process.on("SIGINT", () => process.exit(0)); setInterval(() => {}, 1000); console.log(process.pid)';
const WATCHES_STDIN = 'process.stdin.resume().on("end", () => process.exit(0)); console.log(process.pid)';

describe('a watched process', () => {
  let started: WatchedProcess | undefined;

  async function start(options: Partial<WatchedOptions> & { args: string[] }): Promise<WatchedProcess> {
    started = await startWatched({ command: process.execPath, watchdog: 'shell', graceMs: 5_000, env: {}, ...options });
    return started;
  }

  afterEach(async () => {
    await started?.stop();
    started = undefined;
    await killParents();
  });

  for (const [watchdog, program] of [
    ['own', WATCHES_STDIN],
    ['shell', ENDS_ON_SIGINT],
  ] as const) {
    it(`ends with its parent, killed by kill -9 (watchdog: ${watchdog})`, async () => {
      const parent = startParent(
        `const { startWatched } = await import(${JSON.stringify(SOURCE)});
         await startWatched({ command: process.execPath, args: ['-e', process.argv[2]], watchdog: process.argv[1],
           graceMs: 5000, env: {}, onStdoutLine: (line) => console.log(line) });`,
        [watchdog, program],
      );
      const pid = Number(await parent.line());
      await parent.kill();
      await eventually(() => !isAlive(pid));
    });

    it(`ends in order when it is stopped (watchdog: ${watchdog})`, async () => {
      const ready = Promise.withResolvers<string>();
      const child = await start({ args: ['-e', program], watchdog, onStdoutLine: ready.resolve });
      await ready.promise;
      await child.stop();
      expect(await child.exited).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('is killed when it does not end within its grace', async () => {
    const ready = Promise.withResolvers<string>();
    const child = await start({ args: ['-e', NEVER_ENDS], graceMs: 200, onStdoutLine: ready.resolve });
    const pid = Number(await ready.promise);
    await child.stop();
    expect(await child.exited).to.deep.equal({ code: null, signal: 'SIGKILL' });
    await eventually(() => !isAlive(pid));
  });

  it('is seen to end when it ends by itself, with the last lines it wrote', async () => {
    const program = 'for (let i = 1; i <= 30; i++) console.error("line " + i); process.exitCode = 3';
    const child = await start({ args: ['-e', program] });
    expect(await child.exited).to.deep.equal({ code: 3, signal: null });
    expect(child.stderrTail()).to.have.length(20);
    expect(child.stderrTail().at(-1)).to.equal('line 30');
  });

  it('is the first of a process group of its own, which a Ctrl-C in the terminal does not reach', async () => {
    const child = await start({ args: ['-e', NEVER_ENDS], graceMs: 0 });
    expect(process.kill(-child.pid, 0)).to.equal(true);
  });

  it('gets nothing of the environment but what it is given', async () => {
    const line = Promise.withResolvers<string>();
    const program = 'console.log(process.env.HOME ?? "no home", process.env.GIVEN)';
    await start({ args: ['-e', program], env: { GIVEN: 'given' }, watchdog: 'own', onStdoutLine: line.resolve });
    expect(await line.promise).to.equal('no home given');
  });

  it('rejects when there is no such program', async () => {
    const refusal = await start({ command: '/nowhere/at-all', args: [], watchdog: 'own' }).catch((error) => error);
    expect(refusal).to.have.property('code', 'ENOENT');
  });
});
