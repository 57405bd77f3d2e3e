import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findForbiddenImports } from '../../scripts/import-rules.ts';
import { makeDomain } from '../../scripts/new-domain.ts';
import { copyCheckout, FOR_TESTS } from '../support/checkout.ts';
import { temporaryFolder } from '../support/service.ts';

const filesOf = (root: string) => globSync('{src,test}/domains/**/*', { cwd: root }).sort();
const NOW = new Date('2030-01-02T03:04:05.678Z');

describe('npm run new:domain', () => {
  let root: string;
  before(() => {
    root = copyCheckout(temporaryFolder(), FOR_TESTS);
    // One whose name is the same for one and for many, beside the one that is tried out.
    makeDomain(root, 'sample-billing', NOW);
  });
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  };
  const read = (file: string) => readFileSync(join(root, file), 'utf8');

  it('makes a domain that passes the checks and its own tests as it is', function () {
    this.timeout(300_000);
    const made = run(process.execPath, 'scripts/new-domain.ts', 'sample-categories');
    expect(made.status, made.output).to.equal(0);
    expect(read('src/domains/index.ts')).to.contain("from './sample-categories/index.ts'");
    expect(read('.env.example')).to.contain('SAMPLE_CATEGORIES_RETENTION_DAYS');
    expect(read('src/domains/sample-categories/schemas.ts')).to.contain('SampleCategoryView');

    const types = run('tsc', '--project', '.');
    expect(types.status, types.output).to.equal(0);
    const lint = run('biome', 'check', 'src/domains/sample-categories', 'test/domains/sample-categories');
    expect(lint.status, lint.output).to.equal(0);
    expect(findForbiddenImports(root).violations).to.deep.equal([]);
    const tests = run('mocha', '--no-parallel', 'test/domains/sample-categories/*.test.ts');
    expect(tests.status, tests.output).to.equal(0);
    expect(tests.output).to.match(/5 passing/);
  });

  it('refuses a name that is none, or taken, and writes nothing', () => {
    const before = filesOf(root);
    for (const [name, why] of [
      ['', 'npm run new:domain NAME'],
      ['Notes', 'lower case'],
      ['../notes', 'lower case'],
      ['a--b', 'lower case'],
      ['a'.repeat(31), '30 characters at most'],
      ['order', 'order is a word of SQL'],
      ['users', 'There is a domain users already'],
    ] as const) {
      expect(() => makeDomain(root, name, NOW), name).to.throw(why);
    }
    expect(filesOf(root)).to.deep.equal(before);
  });

  it('adds to what is listed already, and names the migration by the time', () => {
    expect(makeDomain(root, 'sample-notes', NOW)).to.include(
      'src/domains/sample-notes/migrations/20300102030405_create_sample_notes.sql',
    );
    const settings = read('src/domains/settings.ts');
    for (const name of ['sampleCategories', 'sampleNotes', 'sampleBilling']) {
      expect(settings.match(new RegExp(`\\b${name}Settings\\b`, 'g')), name).to.have.lengthOf(2);
    }
  });
});
