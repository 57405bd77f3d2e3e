import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServiceIn } from './started-service.ts';

/*
 * `npm run openapi:check [EXAMPLES]` lets two tools of others judge the description of the API and a running service:
 *
 * - Redocly's linter reads the document; npx fetches it. Errors fail the check.
 * - Schemathesis makes up requests from the document, EXAMPLES for each operation and phase (30 unless given), and
 *   fails at a 500 and at any answer that is not declared. It has to be installed: `pipx install schemathesis==4.32.5`,
 *   or SCHEMATHESIS names the program.
 *
 * The service is started for it, with limits off and cheap password hashes, and everything goes again afterwards.
 */

const REDOCLY = '@redocly/cli@2.77.0';
const SCHEMATHESIS = process.env['SCHEMATHESIS'] ?? 'schemathesis';
const SETTINGS = { RATE_LIMIT_ENABLED: 'false', ARGON2_MEMORY_KIB: '7168', ARGON2_TIME_COST: '1', LOG_LEVEL: 'ERROR' };
/** Operations after which a token is of no use: each is tried with one of its own. */
const ENDS_SESSIONS =
  /^(postAuthLogout|deleteAuthSessions\w*|deleteUsersMe|deleteUsersByIdSessions|postUsersMePassword)$/;
process.exitCode = (await check(process.argv[2] ?? '30')) ? 0 : 1;

async function check(examples: string): Promise<boolean> {
  if (spawnSync(SCHEMATHESIS, ['--version']).status !== 0) {
    process.stdout.write(
      'Schemathesis is needed: pipx install schemathesis==4.32.5, or set SCHEMATHESIS to its path\n',
    );
    return false;
  }
  const folder = mkdtempSync(join(tmpdir(), 'okapi-openapi-'));
  const service = startServiceIn(folder, SETTINGS);
  // Called off, the tools fail one after the other and everything is tidied up below.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void service.stop());
  try {
    const { port } = await service.ready;
    const url = `http://127.0.0.1:${port}`;
    const description = await (await fetch(`${url}/openapi.json`)).text();
    writeFileSync(join(folder, 'openapi.json'), description);
    const ending = operationIds(description).filter((id) => ENDS_SESSIONS.test(id));
    const results = [run('npx', ['--yes', REDOCLY, 'lint', 'openapi.json', '--max-problems', '1000'], folder)];
    for (const which of [
      ending.flatMap((id) => ['--exclude-operation-id', id]),
      ...ending.map((id) => ['--include-operation-id', id]),
    ]) {
      results.push(
        run(SCHEMATHESIS, schemathesis(url, examples, await tokenOfAdministrator(url, folder), which), folder),
      );
    }
    return results.every((isFine) => isFine);
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function schemathesis(url: string, examples: string, token: string, which: readonly string[]): string[] {
  return [
    ...['run', `${url}/openapi.json`, '--max-examples', examples, '--header', `Authorization: Bearer ${token}`],
    // What a schema allows may still be no cursor of this service, or a password that is too common.
    ...['--exclude-checks', 'positive_data_acceptance', ...which],
  ];
}

function operationIds(description: string): string[] {
  return [...description.matchAll(/"operationId":"(\w+)"/g)].map(([, id = '']) => id);
}

function run(command: string, args: readonly string[], cwd: string): boolean {
  return spawnSync(command, args, { cwd, stdio: 'inherit' }).status === 0;
}

/**
 * A new account each time: an administrator's routes, tried out, may disable whoever tries them. It is not that of the
 * examples, or requests made of these would end its session.
 */
async function tokenOfAdministrator(url: string, folder: string): Promise<string> {
  const account = { email: `${randomUUID()}@example.org`, password: randomUUID() };
  await post(`${url}/api/auth/register`, account);
  const { PATH, HOME } = process.env;
  const script = join(import.meta.dirname, 'admin-create.ts');
  spawnSync(process.execPath, [script, account.email], { cwd: folder, env: { PATH, HOME }, stdio: 'inherit' });
  const { data } = JSON.parse(await post(`${url}/api/auth/login`, account)) as { data: { access_token: string } };
  return data.access_token;
}

async function post(url: string, body: object): Promise<string> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The check could not go on: ${text}`);
  return text;
}
