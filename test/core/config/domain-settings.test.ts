import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { expect } from 'chai';
import { renderEnvExample } from '../../../scripts/env-example.ts';
import {
  choice,
  type DomainSettings,
  domainSettings,
  flag,
  integer,
  listAllSettings,
  optionalText,
  readSettings,
  SettingsError,
} from '../../../src/core/config/index.ts';
import { getLogger, stopLogger } from '../../../src/core/logging/index.ts';
import { removeTemporaryDirectories, start } from '../logging/harness.ts';

const notes = domainSettings('notes', {
  maxLength: integer('NOTES_MAX_LENGTH', { description: 'Longest note', default: 10_000, min: 1, max: 100_000 }),
  isPublic: flag('NOTES_PUBLIC', { description: 'Whether others read them', default: false }),
  hookSecret: optionalText('NOTES_HOOK_SECRET', { description: 'Signs what is sent out', secret: true }),
});
const tasks = domainSettings('tasks', {
  order: choice('TASKS_ORDER', {
    description: 'What comes first',
    default: (environment) => (environment === 'production' ? 'oldest' : 'newest'),
    of: ['oldest', 'newest'],
  }),
});
const SECRET = 'only-the-receiver-knows';

function problemsOf(env: Record<string, string>, domains: readonly DomainSettings[]): readonly string[] {
  try {
    readSettings(env, {}, domains);
    return [];
  } catch (error) {
    expect(error).to.be.instanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
}

describe('the settings of a domain', () => {
  const domains = [notes, tasks];
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'okapi-domain-settings-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('are complete with nothing said, and typed', () => {
    const settings = readSettings({}, {}, domains);
    const maxLength: number = notes.valuesIn(settings).maxLength;
    const order: 'oldest' | 'newest' = tasks.valuesIn(settings).order;
    expect({ maxLength, order }).to.deep.equal({ maxLength: 10_000, order: 'newest' });
    expect(notes.valuesIn(settings)).to.include({ isPublic: false, hookSecret: undefined });
    expect(settings.origins['NOTES_MAX_LENGTH']).to.equal('default');
  });

  it('come from the environment over .env, like those of the core', () => {
    const envFile = { NOTES_MAX_LENGTH: '7', NOTES_PUBLIC: 'on', PORT: '4000' };
    const settings = readSettings({ NOTES_MAX_LENGTH: '5' }, envFile, domains);
    expect(notes.valuesIn(settings)).to.include({ maxLength: 5, isPublic: true });
    expect(settings.port).to.equal(4000);
    expect(settings.origins).to.include({ NOTES_MAX_LENGTH: 'environment', NOTES_PUBLIC: '.env' });
  });

  it('that are secret may stand in a file, and not in two places', () => {
    const path = join(folder, 'hook-secret');
    writeFileSync(path, `${SECRET}\n`);
    const settings = readSettings({ NOTES_HOOK_SECRET_FILE: path }, {}, domains);
    expect(notes.valuesIn(settings).hookSecret).to.equal(SECRET);
    expect(settings.origins['NOTES_HOOK_SECRET']).to.equal('file');
    expect(problemsOf({ NOTES_HOOK_SECRET_FILE: path, NOTES_HOOK_SECRET: SECRET }, domains)).to.deep.equal([
      'NOTES_HOOK_SECRET and NOTES_HOOK_SECRET_FILE are both given: keep one of them',
    ]);
  });

  it('are refused together with those of the core, by name and with what is allowed', () => {
    expect(problemsOf({ PORT: 'x', NOTES_MAX_LENGTH: '0', TASKS_ORDER: 'best' }, domains)).to.deep.equal([
      'PORT must be a whole number from 0 to 65535, not "x"',
      'NOTES_MAX_LENGTH must be a whole number from 1 to 100000, not 0',
      'TASKS_ORDER must be one of oldest, newest, not "best"',
    ]);
  });

  it('cannot be changed once read', () => {
    const values = notes.valuesIn(readSettings({}, {}, domains)) as { maxLength: number };
    expect(() => {
      values.maxLength = 1;
    }).to.throw(TypeError);
  });

  it('are masked where they are secret, with the core around them or alone, however they are printed', async () => {
    const settings = readSettings({ NOTES_HOOK_SECRET: SECRET, METRICS_TOKEN: 'a-token-of-metrics' }, {}, domains);
    const values = notes.valuesIn(settings);
    const { console } = start();
    getLogger('app.notes.service').info('As read', { settings, values, inAList: [values] });
    getLogger('app.notes.service').info(`${values} ${inspect(values)}`);
    await stopLogger();
    const printed = [
      ...[settings, values].flatMap((each) => [
        JSON.stringify(each),
        inspect(each),
        `${each}`,
        format('%o %j', each, each),
      ]),
      console.text,
    ];
    removeTemporaryDirectories();
    expect(printed.filter((text) => text.includes(SECRET) || text.includes('a-token-of-metrics'))).to.deep.equal([]);
    expect(console.lines[0]?.extra['values']).to.include({ maxLength: 10_000 });
    expect(JSON.parse(JSON.stringify(settings)).domains.notes).to.deep.equal({
      maxLength: 10_000,
      isPublic: false,
      hookSecret: `•••• (${SECRET.length} bytes)`,
    });
  });

  it('are asked for in vain where nobody listed them, and it is said where to', () => {
    expect(() => notes.valuesIn(readSettings({}))).to.throw('list them in src/domains/settings.ts');
  });

  it('stand in what .env.example is made of, after those of the core', () => {
    const text = renderEnvExample(listAllSettings(domains));
    expect(text).to.match(/# --- Domain: notes\n\n# Longest note\.\n# Default: 10000\. Allowed: a whole number/);
    expect(text).to.contain('# Secret; or NOTES_HOOK_SECRET_FILE.\n#NOTES_HOOK_SECRET=\n');
    expect(text).to.contain('# Default: newest in development, test, and staging; oldest in production.');
    expect(text.indexOf('NOTES_')).to.be.greaterThan(text.indexOf('#TRACE_USER_ID='));
  });

  describe('whose name is taken', () => {
    const named = (domain: string, env: string, secret = false) =>
      domainSettings(domain, { value: optionalText(env, { description: 'A value', secret }) });

    for (const [what, contributed, expected] of [
      ['by the core', [named('notes', 'PORT')], /^PORT is a setting of the core and of the domain notes: rename/],
      [
        'by another domain',
        [notes, named('tasks', 'NOTES_PUBLIC')],
        /^NOTES_PUBLIC is a setting of the domain notes and of the domain tasks: rename/,
      ],
      [
        'by the file of a secret of the core',
        [named('notes', 'METRICS_TOKEN_FILE')],
        /^METRICS_TOKEN_FILE is a setting of the core and of the domain notes/,
      ],
      [
        'by the file of its own secret',
        [named('tasks', 'TASKS_KEY_FILE'), named('notes', 'TASKS_KEY', true)],
        /^TASKS_KEY_FILE is a setting of the domain tasks and of the domain notes/,
      ],
      ['by another domain of the same name', [notes, named('notes', 'OTHER')], /^Two domains .* as notes: rename/],
      [
        'by OpenTelemetry',
        [named('notes', 'OTEL_NOTES')],
        /^"OTEL_NOTES" is no name for a setting of the domain notes/,
      ],
      ['by nobody, since no variable can have it', [named('notes', 'notes-max')], /^"notes-max" is no name for/],
    ] as [string, DomainSettings[], RegExp][]) {
      it(`${what} are refused with one line that says who else has it`, () => {
        const problems = problemsOf({}, contributed);
        expect(problems).to.have.lengthOf(1);
        expect(problems[0]).to.match(expected);
      });
    }

    it('are all reported at once', () => {
      expect(problemsOf({}, [named('a', 'PORT'), named('b', 'HOST')])).to.have.lengthOf(2);
    });
  });
});
