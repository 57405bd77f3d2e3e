import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { copyCheckout } from '../support/checkout.ts';
import { request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { leaveOut } from '../support/leave-out.ts';
import { endProcessesOf, expectNoneLeft, processesOf } from '../support/processes.ts';
import { ROOT, type Service, temporaryFolder } from '../support/service.ts';
import { createDatabases } from '../support/stores.ts';
import { useServices } from '../support/use-services.ts';

const CLEAN = { code: 0, signal: null };
const NOBODY = { uid: 65534, gid: 65534 };
/** Takes away what a test of services gives them, so that they find it by themselves. */
const NOTHING = {
  PORT: undefined,
  LOG_DIR: undefined,
  DATA_DIR: undefined,
  ARGON2_MEMORY_KIB: undefined,
  ARGON2_TIME_COST: undefined,
  NODE_COMPILE_CACHE: undefined,
};

describe('npm start', () => {
  const { start } = useServices();
  const folders: string[] = [];
  after(() => Promise.all(folders.map(endProcessesOf)));

  it('needs nothing from its environment but PATH, in a folder whose name has a space', async () => {
    const root = copyCheckout(join(temporaryFolder(), 'my services'));
    folders.push(root);
    writeFileSync(join(root, '.env'), 'PORT=0\n');
    const service = await start({ stores: 'embedded', cwd: root, env: NOTHING, command: ['npm', 'start'] });
    await signIn(service.url);
    expect(statSync(join(root, '.data')).mode & 0o777).to.equal(0o700);
    expect(await service.stop()).to.deep.equal(CLEAN);
    await expectNoneLeft(root);
  });

  it('runs as an ordinary user, on a data folder that only its owner can enter', async function () {
    const user = process.geteuid?.() === 0 ? NOBODY : undefined;
    const sees = spawnSync('cat', [join(ROOT, 'package.json')], { ...user, stdio: 'ignore' });
    if (sees.status !== 0) return leaveOut(this, 'this checkout lies where only the superuser can read it');
    // The folder of the tests may be one that an ordinary user cannot enter.
    const folder = mkdtempSync(join(tmpdir(), 'okapi-test-'));
    folders.push(folder);
    try {
      const dataDir = mkdtempSync(join(folder, 'data-'));
      if (user !== undefined) for (const path of [folder, dataDir]) chownSync(path, user.uid, user.gid);
      const env = { DATA_DIR: dataDir, LOG_DIR: join(folder, 'logs') };
      const service = await start({ stores: 'embedded', env, ...(user && { user }) });
      await signIn(service.url);
      expect(await service.stop()).to.deep.equal(CLEAN);
      expect(statSync(dataDir).mode & 0o777).to.equal(0o700);
      await expectNoneLeft(folder);
    } finally {
      await endProcessesOf(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('npm run dev', () => {
  const { start } = useServices();
  const pidsOf = (service: Service, what: RegExp) =>
    processesOf(service.folder)
      .filter(({ command }) => what.test(command))
      .map(({ pid }) => pid)
      .sort();

  it('restarts the service on a change, and not the stores; SIGTERM ends all of it', async () => {
    const root = copyCheckout(join(temporaryFolder(), 'checkout'));
    const service = await start({ stores: 'embedded', cwd: root, command: ['npm', 'run', 'dev'] });
    const user = await signIn(service.url);
    const stores = pidsOf(service, /--file \S+\.sqlite|postgres -D/);
    expect(stores).to.have.length.at.least(2);

    const now = new Date();
    utimesSync(join(root, 'src', 'banner.ts'), now, now);
    const url = await eventually(() => [...service.stdout().matchAll(/API {6}(http:\S+)\/api/g)][1]?.[1]);
    const { status } = await request(`${url.replace('localhost', '127.0.0.1')}/api/users/me`, {
      headers: { Authorization: `Bearer ${user.accessToken}` },
    });
    expect(status).to.equal(200);
    const instances = await eventually(() => {
      const ready = service.logLines().filter(({ message }) => message === 'Ready');
      return ready.length === 2 && ready.map((line) => line['service']);
    });
    expect(instances[0]).not.to.deep.equal(instances[1]);
    expect(pidsOf(service, /--file \S+\.sqlite|postgres -D/)).to.deep.equal(stores);

    expect(await service.stop()).to.deep.equal(CLEAN);
    await expectNoneLeft(service.folder);
    expect(service.logLines().at(-1)?.message).to.equal('Stopped');
  });
});

describe('the other commands', () => {
  const { start, run } = useServices();

  it('npm run config shows where each setting comes from, and no secret', async () => {
    const { code, stdout, stderr } = await run({
      command: ['npm', 'run', '--silent', 'config'],
      env: { METRICS_TOKEN: 'a-token-of-the-test', PORT: '4321' },
    });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^ {2}PORT +4321 +environment$/m);
    expect(stdout).to.match(/^ {2}ENVIRONMENT +development +default$/m);
    expect(stdout).to.match(/^ {2}METRICS_TOKEN +•••• \(19 bytes\) +environment$/m);
    expect(stdout).to.match(/^ {2}DATABASE_URL +•••• \(\d+ bytes\) +environment$/m);
    expect(stdout).not.to.contain('a-token-of-the-test');
  });

  it('npm run migrate brings a database up to date, once; without one it says which setting is missing', async () => {
    const { databaseUrl, drop } = await createDatabases();
    const command = ['npm', 'run', '--silent', 'migrate'];
    const [first, missing] = await Promise.all([
      run({ stores: 'none', command, env: { DATABASE_URL: databaseUrl } }),
      run({ stores: 'none', command }),
    ]);
    expect(first.code, first.stderr).to.equal(0);
    expect(first.stdout).to.match(/^(Applied \d{14}_\w+\n)+$/);
    const second = await run({ stores: 'none', command, env: { DATABASE_URL: databaseUrl } });
    expect(second).to.include({ code: 0, stdout: 'The schema is up to date\n' });
    expect(missing.code).to.equal(1);
    expect(missing.stderr).to.match(/^okapi: DATABASE_URL is missing.*\n$/);
    await drop();
  });

  it('npm run build makes plain JavaScript that serves like the source', async () => {
    const root = copyCheckout(join(temporaryFolder(), 'checkout'));
    const built = await run({ stores: 'none', cwd: root, command: ['npm', 'run', '--silent', 'build'] });
    expect(built.code, built.stdout).to.equal(0);
    const service = await start({
      cwd: root,
      command: [process.execPath, '--import', './dist/instrumentation.js', 'dist/src/main.js'],
    });
    const { id } = await signIn(service.url);
    expect(id).to.match(/^[0-9a-f-]{36}$/);
    const { body } = await request(`${service.url}/health`);
    expect(body.data.faults).to.deep.equal([]);
    expect(await service.stop()).to.deep.equal(CLEAN);
    const lines = service.logLines();
    expect(lines.find(({ message }) => message === 'Ready')).to.include({ module: 'src/main.ts', function: 'start' });
    for (const { module, line, level, logger } of lines) {
      const source = readFileSync(join(root, String(module)), 'utf8').split('\n')[Number(line) - 1];
      const call = logger === 'app.http.access' ? 'createAccessLog(' : `.${String(level).toLowerCase()}(`;
      expect(source, `${module}:${line} of ${logger}`).to.contain(call);
    }
  });
});
