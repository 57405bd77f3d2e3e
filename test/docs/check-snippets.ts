import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findForbiddenImports } from '../../scripts/import-rules.ts';
import { ROOT, temporaryFolder } from '../support/service.ts';
import type { Ran } from './run-snippets.ts';
import { compareOutput, readEnvFile, readSnippets, type Snippet } from './snippets.ts';

/** For a snippet that waits for ever. */
const ENDS_WITHIN_MS = 50_000;

export type Document = { name: string; markdown: string };

/** What is wrong with the snippets, one line for each complaint, which begins with the document and its line. */
export type Checked = {
  complaints: readonly string[];
  complaintsAbout(document: string): string[];
  /** How many snippets a document has. */
  count(document: string): number;
};

/**
 * Type-checks and runs the `ts` blocks of documents as files of a domain, `src/domains/notes/`, under the settings of
 * their `dotenv` blocks: one compiler and one process for all of them.
 */
export async function checkSnippets(documents: readonly Document[]): Promise<Checked> {
  const snippets = documents.flatMap(({ name, markdown }) => readSnippets(name, markdown));
  const folder = asCheckout(snippets, documents.map(({ markdown }) => readEnvFile(markdown)).join(''));
  const [types, runs] = await Promise.all([typeCheck(folder, snippets), runAll(folder, snippets)]);
  const complaints = [...types, ...importsPastTheDoor(folder, snippets), ...runs];
  return {
    complaints,
    complaintsAbout: (document) => complaints.filter((complaint) => complaint.startsWith(`${document}:`)),
    count: (document) => snippets.filter((snippet) => snippet.document === document).length,
  };
}

/** A folder inside the checkout in which the snippets are a domain beside the real core. Returns its path. */
function asCheckout(snippets: readonly Snippet[], envFile: string): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'src/domains/notes'), { recursive: true });
  // Who has a domain called notes keeps it; here the snippets stand in its place.
  const others = readdirSync(join(ROOT, 'src/domains')).filter((entry) => entry !== 'notes');
  const parts = ['src/core', 'src/db', 'package.json', ...others.map((entry) => join('src/domains', entry))];
  for (const part of parts) symlinkSync(join(ROOT, part), join(folder, part));
  for (const { file, source } of snippets) writeFileSync(join(folder, 'src/domains/notes', file), source);
  writeFileSync(join(folder, '.env'), envFile);
  const config = { extends: join(ROOT, 'tsconfig.json'), include: ['src/domains/notes'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  return folder;
}

const VIOLATION = /^src\/domains\/notes\/([\w-]+\.ts) (.*)$/;

function importsPastTheDoor(folder: string, snippets: readonly Snippet[]): string[] {
  return findForbiddenImports(folder).violations.map((violation) => {
    const [, file, problem] = VIOLATION.exec(violation) ?? [];
    const snippet = snippets.find((each) => each.file === file);
    return snippet === undefined ? violation : `${snippet.document}:${snippet.line}: ${problem}`;
  });
}

const TYPE_ERROR = /^src\/domains\/notes\/([\w-]+\.ts)\((\d+),(\d+)\): (.*)$/;

async function typeCheck(folder: string, snippets: readonly Snippet[]): Promise<string[]> {
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { code, stdout, stderr } = await run([tsc, '--project', folder, '--pretty', 'false'], folder);
  const lines = stdout.split('\n').filter((line) => /: error TS|^error TS/.test(line));
  if (code !== 0 && lines.length === 0) return [`tsc ended with ${code}: ${stdout}${stderr}`];
  return lines.map((line) => {
    const [, file, number, column, message] = TYPE_ERROR.exec(line) ?? [];
    const snippet = snippets.find((each) => each.file === file);
    return snippet === undefined ? line : `${snippet.document}:${number}:${column}: ${message}`;
  });
}

async function runAll(folder: string, snippets: readonly Snippet[]): Promise<string[]> {
  const files = snippets.map(({ file }) => join(folder, 'src/domains/notes', file));
  const runner = join(import.meta.dirname, 'run-snippets.ts');
  const command = [process.execPath, '--import', join(ROOT, 'instrumentation.ts'), runner, ...files];
  const { code, stdout, stderr } = await run(command, folder);
  const ran = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Ran);
  return snippets.flatMap((snippet) => {
    const result = ran.find(({ file }) => basename(file) === snippet.file);
    if (result === undefined) {
      return [`${snippet.document}:${snippet.line}: did not end; the process ended with ${code}: ${stderr}`];
    }
    const failure = result.failure === undefined ? [] : [describeFailure(snippet, result.failure)];
    return [...failure, ...compareOutput(snippet, result.printed)];
  });
}

function describeFailure({ document, file, line }: Snippet, stack: string): string {
  const frame = stack.split('\n').find((each) => each.includes(`/${file}:`)) ?? '';
  const where = /\.ts:(\d+)/.exec(frame)?.[1] ?? line;
  return `${document}:${where}: ${stack.split('\n', 1)[0]}`;
}

async function run([command = '', ...args]: readonly string[], cwd: string) {
  const env = {
    PATH: process.env['PATH'],
    NODE_COMPILE_CACHE: join(process.env['OKAPI_TEST_FOLDER'] ?? '', 'compiled'),
  };
  const limit = { timeout: ENDS_WITHIN_MS, killSignal: 'SIGKILL' } as const;
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], ...limit });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}
