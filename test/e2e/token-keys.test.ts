import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { decodeProtectedHeader } from 'jose';
import { bearer, post, request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { expectProblem } from '../support/problem.ts';
import { ROOT, type Service, temporaryFolder } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const run = promisify(execFile);

/** As `npm run keys:generate` and `npm run keys:rotate` do. */
async function keys(folder: string, ...command: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], JWT_ALGORITHM: 'ES256', JWT_KEYS_DIR: folder };
  return (await run(process.execPath, [join(ROOT, 'scripts', 'keys.ts'), ...command], { env, cwd: folder })).stdout;
}

const statusOf = async ({ url }: Service, token: string) =>
  (await request(`${url}/api/users/me`, { headers: bearer(token) })).status;
const refresh = ({ url }: Service, token: string) => post(`${url}/api/auth/refresh`, { refresh_token: token });
const kidOf = (token: string) => decodeProtectedHeader(token).kid;

/** Sends SIGUSR2, and waits for the line that says what came of it. */
async function reread(service: Service, message: RegExp) {
  const lines = () => service.logLines().filter((line) => message.test(line.message));
  const before = lines().length;
  service.process.kill('SIGUSR2');
  return eventually(() => lines()[before]);
}
const DONE = /^Read the signing keys again/;

describe('tokens by key files', () => {
  const { start, run: runToItsEnd } = useServices();
  let folder: string;
  let service: Service;
  before(async () => {
    folder = temporaryFolder();
    await keys(folder, 'generate');
    service = await start({ env: { JWT_ALGORITHM: 'ES256', JWT_KEYS_DIR: folder } });
  });

  const published = async () => {
    const { status, headers, body } = await request(`${service.url}/.well-known/jwks.json`);
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('application/jwk-set+json');
    expect(headers.get('cache-control')).to.equal('public, max-age=300');
    expect(Object.keys(body)).to.deep.equal(['keys']);
    return body.keys.map(({ kid }: { kid: string }) => kid) as string[];
  };

  it('rotate without signing anybody out, and end with their key', async () => {
    const user = await signIn(service.url);
    expect(await published()).to.deep.equal([kidOf(user.accessToken)]);
    const old = readdirSync(join(folder, 'access'));

    expect(await keys(folder, 'rotate', '--now')).to.match(/^Made [\s\S]*send SIGUSR2[\s\S]*rm .*# from /);
    const line = await reread(service, DONE);
    expect(line.extra?.['access']).to.deep.include({ checks: 2, removed: [] });
    expect(await statusOf(service, user.accessToken)).to.equal(200);
    const { data } = (await refresh(service, user.refreshToken)).body;
    expect(kidOf(data.access_token)).not.to.equal(kidOf(user.accessToken));
    expect(kidOf(data.refresh_token)).not.to.equal(kidOf(user.refreshToken));
    expect(await published()).to.have.members([kidOf(user.accessToken), kidOf(data.access_token)]);

    for (const file of old) rmSync(join(folder, 'access', file));
    await reread(service, DONE);
    expectProblem(
      await request(`${service.url}/api/users/me`, { headers: bearer(user.accessToken) }),
      401,
      'auth.token_invalid',
    );
    expect(await statusOf(service, data.access_token)).to.equal(200);
    expect(await published()).to.deep.equal([kidOf(data.access_token)]);
  });

  it('are published before they sign, once they are rotated ahead of time', async () => {
    const { accessToken } = await signIn(service.url);
    await keys(folder, 'rotate');
    await reread(service, DONE);
    expect(await published()).to.have.lengthOf(2);
    expect(kidOf((await signIn(service.url)).accessToken)).to.equal(kidOf(accessToken));
  });

  it('stay as they are while a file is bad, and the log says why', async () => {
    const { accessToken } = await signIn(service.url);
    const bad = join(folder, 'access', 'bad.pem');
    writeFileSync(bad, 'nothing');
    const line = await reread(
      service,
      /^The signing keys were not read again, those in use stay: JWT_KEYS_DIR: .*bad\.pem is no PEM/,
    );
    expect(line['level']).to.equal('ERROR');
    expect(await statusOf(service, accessToken)).to.equal(200);
    expect((await signIn(service.url)).accessToken).to.be.a('string');

    const { code, stderr } = await runToItsEnd({ env: { JWT_ALGORITHM: 'ES256', JWT_KEYS_DIR: folder } });
    expect(code).to.equal(1);
    expect(stderr).to.match(/^okapi: JWT_KEYS_DIR: .*bad\.pem is no PEM: allowed are [^\n]*\n$/);
    rmSync(bad);
    await reread(service, DONE);
  });

  it('warn of a key that everybody can read', async () => {
    const [name = ''] = readdirSync(join(folder, 'refresh'));
    chmodSync(join(folder, 'refresh', name), 0o644);
    const line = await reread(service, /can be read by every user of this machine/);
    expect(line['level']).to.equal('WARNING');
  });

  it('stop the start with one line where there are none', async () => {
    const { code, stderr } = await runToItsEnd({ env: { JWT_ALGORITHM: 'EdDSA', JWT_KEYS_DIR: folder } });
    expect(code).to.equal(1);
    expect(stderr).to.match(/^okapi: JWT_KEYS_DIR: [^\n]* has no private key for EdDSA: [^\n]*keys:generate[^\n]*\n$/);
  });
});

describe('tokens by secrets', () => {
  const { start } = useServices();

  it('rotate by …_PREVIOUS, also while the service runs where they stand in files', async () => {
    const folder = temporaryFolder();
    const names = ['ACCESS_TOKEN_SIGNING_KEY', 'REFRESH_TOKEN_SIGNING_KEY'];
    const path = (name: string) => join(folder, name);
    const write = (suffix: string, letter: string) => {
      for (const name of names) writeFileSync(path(`${name}${suffix}`), `${letter}${name}`.padEnd(40, letter));
    };
    write('', 'a');
    write('_PREVIOUS', 'z');
    const files = names.flatMap((name) => [name, `${name}_PREVIOUS`]).map((name) => [`${name}_FILE`, path(name)]);
    const service = await start({ env: Object.fromEntries(files) });
    const user = await signIn(service.url);
    expect((await request(`${service.url}/.well-known/jwks.json`)).body).to.deep.equal({ keys: [] });

    write('', 'b');
    write('_PREVIOUS', 'a');
    await reread(service, DONE);
    expect(await statusOf(service, user.accessToken)).to.equal(200);
    const { data } = (await refresh(service, user.refreshToken)).body;
    expect(kidOf(data.access_token)).not.to.equal(kidOf(user.accessToken));

    write('_PREVIOUS', 'c');
    await reread(service, DONE);
    expect(await statusOf(service, user.accessToken)).to.equal(401);
    expect(await statusOf(service, data.access_token)).to.equal(200);
  });

  it('give way to key files without signing anybody out', async () => {
    const secrets = { ACCESS_TOKEN_SIGNING_KEY: 'K7'.repeat(20), REFRESH_TOKEN_SIGNING_KEY: 'Q3'.repeat(20) };
    const before = await start({ env: secrets });
    const user = await signIn(before.url);
    const folder = temporaryFolder();
    await keys(folder, 'generate');
    const stores = { DATABASE_URL: before.stores.databaseUrl, MONGO_URL: before.stores.mongoUrl };
    const env = { ...secrets, ...stores, JWT_ALGORITHM: 'ES256', JWT_KEYS_DIR: folder };
    const after = await start({ stores: 'none', env });
    expect(await statusOf(after, user.accessToken)).to.equal(200);
    const { data } = (await refresh(after, user.refreshToken)).body;
    expect(decodeProtectedHeader(data.access_token).alg).to.equal('ES256');
    await after.stop();
  });
});
