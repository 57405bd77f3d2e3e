import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type * as metrics from '../../../src/core/telemetry/metrics/metrics.ts';
import { ROOT, temporaryFolder } from '../../support/service.ts';

/** Decorators cannot be stripped, so this is compiled with what it imports, as a project would that uses them. */
const source = (core: string) => `
import { trackBackgroundJob } from '${core}/background/track-background-job.ts';
export { backgroundJobFailures, backgroundJobRuns } from '${core}/telemetry/metrics/metrics.ts';

export class Mailer {
  readonly sent: string[] = [];

  @trackBackgroundJob('decorated_send')
  async send(to: string, copies = 1): Promise<number> {
    for (let copy = 0; copy < copies; copy++) this.sent.push(to);
    return this.sent.length;
  }

  @trackBackgroundJob('decorated_static')
  static async connect(): Promise<string> {
    throw new Error('no server');
  }

  @trackBackgroundJob('decorated_private')
  async #flush(): Promise<this> {
    return this;
  }

  flush(): Promise<this> {
    return this.#flush();
  }
}

const sent: Promise<number> = new Mailer().send('typed');
await sent;
`;
const wrong = (core: string) => `
import { trackBackgroundJob } from '${core}/background/track-background-job.ts';

export class Wrong {
  @trackBackgroundJob('not_async')
  now(): number {
    return 1;
  }
}
`;

type Mailer = { sent: string[]; send(to: string, copies?: number): Promise<number>; flush(): Promise<Mailer> };
type Compiled = Pick<typeof metrics, 'backgroundJobFailures' | 'backgroundJobRuns'> & {
  Mailer: { new (): Mailer; connect(): Promise<string>; prototype: Mailer };
};

/** Compiles the text as a file of its own folder; resolves to what the compiler said and where its output is. */
function compile(text: (core: string) => string) {
  const folder = temporaryFolder();
  const out = join(folder, 'out');
  writeFileSync(join(folder, 'source.ts'), text(relative(folder, join(ROOT, 'src', 'core'))));
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { target: 'es2024', noEmit: false, outDir: out, rootDir: ROOT },
    include: ['source.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { status, stdout } = spawnSync('tsc', ['--project', folder], { encoding: 'utf8' });
  return { status, said: stdout, output: join(out, relative(ROOT, folder), 'source.js') };
}

describe('background: trackBackgroundJob as a standard decorator', () => {
  let compiled: Compiled;
  before(async () => {
    const { status, said, output } = compile(source);
    expect(status, said).to.equal(0);
    compiled = (await import(pathToFileURL(output).href)) as Compiled;
  });

  const runsOf = (name: string) => compiled.backgroundJobRuns.labels({ job_name: name }).value;

  it('counts the runs of a method, which keeps this, arguments, result and name', async () => {
    const before = runsOf('decorated_send');
    const mailer = new compiled.Mailer();
    expect(await mailer.send('a', 2)).to.equal(2);
    expect(await mailer.send('b')).to.equal(3);
    expect(mailer.sent).to.deep.equal(['a', 'a', 'b']);
    expect(runsOf('decorated_send') - before).to.equal(2);
    expect(compiled.Mailer.prototype.send.name).to.equal('send');
  });

  it('counts the failures of a static one', async () => {
    const thrown = await compiled.Mailer.connect().catch(String);
    expect(thrown).to.equal('Error: no server');
    expect(compiled.backgroundJobFailures.labels({ job_name: 'decorated_static' }).value).to.equal(1);
  });

  it('decorates a private one', async () => {
    const mailer = new compiled.Mailer();
    expect(await mailer.flush()).to.equal(mailer);
    expect(runsOf('decorated_private')).to.equal(1);
  });

  it('does not compile on a method that is not async', () => {
    const { status, said } = compile(wrong);
    expect(status).to.not.equal(0);
    expect(said).to.contain('source.ts(5,').and.contain('Promise');
  });
});
