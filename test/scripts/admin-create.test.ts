import { expect } from 'chai';
import { bearer, freshCredentials, post, request, signIn } from '../support/client.ts';
import { type Service, startService } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

describe('npm run admin:create', () => {
  const services = useServices();
  const COMMAND = [process.execPath, 'scripts/admin-create.ts'];

  /** Runs the command against the stores of a service. */
  async function create(service: Service, args: string[], password?: string, embedded = false) {
    const env = embedded
      ? { DATABASE_URL: undefined, MONGO_URL: undefined, DATA_DIR: service.dataDir }
      : { DATABASE_URL: service.stores.databaseUrl };
    const run = await startService({
      command: [...COMMAND, ...args],
      stores: 'none',
      env,
      stdin: 'pipe',
      waitUntilReady: false,
    });
    run.process.stdin?.end(password === undefined ? '' : `${password}\nmore\n`);
    const { code } = await run.ended;
    return { code, stdout: run.stdout(), stderr: run.stderr() };
  }
  const rolesAfterLogin = async (url: string, credentials: { email: string; password: string }) => {
    const { body } = await post(`${url}/api/auth/login`, credentials);
    const me = await request(`${url}/api/users/me`, { headers: bearer(body.data.access_token) });
    return me.body.data.roles;
  };

  it('makes the first administrator beside a service on embedded stores', async () => {
    const service = await services.start({ stores: 'embedded' });
    const credentials = freshCredentials();
    const made = await create(service, [credentials.email], credentials.password, true);
    expect(made).to.deep.equal({ code: 0, stdout: 'There is a new administrator\n', stderr: '' });
    expect(await rolesAfterLogin(service.url, credentials)).to.deep.equal(['user', 'admin']);
  });

  it('makes an account that there is an administrator, and asks for no password', async () => {
    const service = await services.start();
    const user = await signIn(service.url);
    const { email, password } = user;
    expect(await create(service, [email])).to.include({ code: 0, stderr: '' });
    expect(await rolesAfterLogin(service.url, { email, password })).to.deep.equal(['user', 'admin']);
    expect((await create(service, [email])).stdout).to.contain('already');
    const unknown = freshCredentials();
    for (const [args, given, said] of [
      [[], undefined, /^okapi: Name one e-mail address/],
      [['x'], undefined, /^okapi: The email is not an e-mail address/],
      [[unknown.email], undefined, /needs a password/],
      [[unknown.email], 'short', /^okapi: The password must have at least 15 characters\n$/],
    ] as const) {
      const refused = await create(service, [...args], given);
      expect(refused.code).to.equal(1);
      expect(refused.stderr)
        .to.match(said)
        .and.not.match(/ {4}at /);
    }
  });
});
