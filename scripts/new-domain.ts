import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * `npm run new:domain NAME` makes a domain that works: routes, service, store, schemas, settings, a migration, a task, a
 * metric, and tests for all of it. From there on it is yours. NAME is in lower case, usually a plural: `notes`,
 * `support-tickets`.
 */

const TEMPLATES = join(import.meta.dirname, 'new-domain');
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MAX_LENGTH = 30;
/** Words that PostgreSQL takes for no table's name (appendix C), of those that a domain may be called. */
const RESERVED =
  /^(all|and|any|array|as|asc|both|case|cast|check|collate|column|constraint|create|default|desc|distinct|do|else|end|except|false|fetch|for|foreign|from|grant|group|having|in|initially|into|lateral|leading|limit|not|null|offset|on|only|or|order|placing|primary|references|returning|select|some|symmetric|table|then|to|trailing|true|union|unique|user|using|variadic|when|where|window|with)$/;

/** What each template becomes. */
const FILES: Readonly<Record<string, (name: string, timestamp: string) => string>> = {
  'index.ts': (name) => `src/domains/${name}/index.ts`,
  'domain.ts': (name) => `src/domains/${name}/domain.ts`,
  'routes.ts': (name) => `src/domains/${name}/routes.ts`,
  'schemas.ts': (name) => `src/domains/${name}/schemas.ts`,
  'service.ts': (name) => `src/domains/${name}/service.ts`,
  'settings.ts': (name) => `src/domains/${name}/settings.ts`,
  'store.ts': (name) => `src/domains/${name}/store.ts`,
  'tasks.ts': (name) => `src/domains/${name}/tasks.ts`,
  'migration.sql': (name, timestamp) =>
    `src/domains/${name}/migrations/${timestamp}_create_${name.replaceAll('-', '_')}.sql`,
  'test.ts': (name) => `test/domains/${name}/${name}.test.ts`,
};
const DOMAINS = 'src/domains/index.ts';
const DOMAIN_SETTINGS = 'src/domains/settings.ts';

if (import.meta.main) {
  try {
    const files = makeDomain(process.cwd(), process.argv[2] ?? '', new Date());
    run('biome', ['check', '--write', '--log-level=error', ...files.filter((file) => file.endsWith('.ts'))]);
    run(process.execPath, ['scripts/env-example.ts']);
    process.stdout.write(`${files.map((file) => `  ${file}\n`).join('')}  .env.example\n\nnpm run check && npm test\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

/**
 * Writes the files of a domain below `root` and lists it; returns their paths, those of the lists included.
 * Throws, before anything is written, for a name that is none or taken.
 */
export function makeDomain(root: string, name: string, now: Date): string[] {
  if (!NAME.test(name) || name.length > MAX_LENGTH) {
    throw new Error(`npm run new:domain NAME: lower case, digits and hyphens, ${MAX_LENGTH} characters at most`);
  }
  if (RESERVED.test(name)) throw new Error(`${name} is a word of SQL, which cannot be a table: take its plural`);
  if (existsSync(join(root, 'src/domains', name))) throw new Error(`There is a domain ${name} already`);
  const words = wordsOf(name);
  const timestamp = now.toISOString().replace(/\D/g, '').slice(0, 14);
  const made = Object.entries(FILES).map(([template, pathOf]) => {
    const path = pathOf(name, timestamp);
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), fill(readFileSync(join(TEMPLATES, `${template}.txt`), 'utf8'), words));
    return path;
  });
  change(
    join(root, DOMAINS),
    (text) => `${text}${fill("export { {{camel}}Domain } from './{{name}}/index.ts';\n", words)}`,
  );
  change(join(root, DOMAIN_SETTINGS), (text) => listSettings(text, words));
  return [...made, DOMAINS, DOMAIN_SETTINGS];
}

/** The forms of a name that stand in the templates: `support-tickets`, `supportTickets`, `SupportTicket` … */
function wordsOf(name: string): Record<string, string> {
  const parts = name.split('-');
  const last = parts.at(-1) ?? '';
  const one = [...parts.slice(0, -1), singular(last)];
  const pascal = (words: readonly string[]) =>
    words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('');
  const snake = parts.join('_');
  return {
    name,
    words: parts.join(' '),
    snake,
    SNAKE: snake.toUpperCase(),
    Pascal: pascal(parts),
    camel: `${parts[0]}${pascal(parts.slice(1))}`,
    Item: pascal(one),
    snakeItem: one.join('_'),
  };
}

function singular(word: string): string {
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, 'y');
  if (/(ss|sh|ch|x)es$/.test(word)) return word.slice(0, -2);
  return /[^su]s$/.test(word) ? word.slice(0, -1) : word;
}

function fill(template: string, words: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, key: string) => words[key] ?? '');
}

function listSettings(text: string, words: Readonly<Record<string, string>>): string {
  const listed = fill('{{camel}}Settings', words);
  const imported = fill("import { {{camel}}Settings } from './{{name}}/settings.ts';\n", words);
  return text
    .replace(/^(import [^;]*;\n)(?!import)/m, `$1${imported}`)
    .replace(/(DOMAIN_SETTINGS[^=]*= \[)([^\]]*?),?\s*\];/, (_, head: string, rest: string) =>
      rest.trim() === '' ? `${head}${listed}];` : `${head}${rest.trim()}, ${listed}];`,
    );
}

function change(file: string, how: (text: string) => string): void {
  const text = readFileSync(file, 'utf8');
  const changed = how(text);
  if (changed === text) throw new Error(`${file} does not look as expected: add the domain by hand`);
  writeFileSync(file, changed);
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed`);
}
