import { spawnSync } from 'node:child_process';
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
/** Operations after which the token is of no use; they are tried last. */
const ENDING = 'postAuthLogout|deleteAuthSessions\\w*|deleteUsersMe|postUsersMePassword';
const ACCOUNT = { email: 'ada@example.org', password: 'correct horse battery' };

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
    const judge = async (...which: string[]) =>
      run(SCHEMATHESIS, schemathesis(url, examples, await signIn(url), which), folder);
    const hasEnding = new RegExp(`"operationId":"(${ENDING})"`).test(description);
    return [
      run('npx', ['--yes', REDOCLY, 'lint', 'openapi.json', '--max-problems', '1000'], folder),
      await judge('--exclude-operation-id-regex', `^(${ENDING})$`),
      !hasEnding || (await judge('--include-operation-id-regex', `^(${ENDING})$`)),
    ].every((isFine) => isFine);
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

function run(command: string, args: readonly string[], cwd: string): boolean {
  return spawnSync(command, args, { cwd, stdio: 'inherit' }).status === 0;
}

async function signIn(url: string): Promise<string> {
  const options = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(ACCOUNT) };
  await fetch(`${url}/api/auth/register`, options);
  const login = await fetch(`${url}/api/auth/login`, options);
  const { data } = (await login.json()) as { data: { access_token: string } };
  return data.access_token;
}
