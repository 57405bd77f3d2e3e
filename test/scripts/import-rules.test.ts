import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { findForbiddenImports, importsOf } from '../../scripts/import-rules.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the import rules', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'okapi-imports-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const plant = (file: string, source: string) => {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), source);
  };
  const violations = () => findForbiddenImports(folder).violations;

  it('hold in this project, and were looked for in all of it', () => {
    const { files, violations: found } = findForbiddenImports(ROOT);
    expect(found).to.deep.equal([]);
    expect(files).to.be.greaterThan(100);
  });

  for (const [file, source, target] of [
    ['src/core/http/x.ts', `import { a } from '../../db/postgres/pool.ts';`, 'src/db/postgres/pool.ts'],
    ['src/core/x.ts', `import type { A } from '../domains/index.ts';`, 'src/domains/index.ts'],
    ['src/core/x.ts', `import '../operations/access.ts';`, 'src/operations/access.ts'],
    ['src/core/x.ts', `export * from '../main.ts';`, 'src/main.ts'],
    ['src/core/x.ts', `export { a } from '../application.ts';`, 'src/application.ts'],
    ['src/core/x.ts', `import {\n  a,\n  b,\n} from '../db/instrumented.ts';`, 'src/db/instrumented.ts'],
    ['src/core/x.ts', `const x = await import('../db/embedded/index.ts');`, 'src/db/embedded/index.ts'],
    ['src/core/x.ts', `import pg from 'pg';`, 'pg'],
    ['src/core/x.ts', `import type { Db } from "mongodb";`, 'mongodb'],
    ['src/core/x.ts', `import x from 'mongodb/lib/cmap/connection.js';`, 'mongodb/lib/cmap/connection.js'],
    ['src/db/postgres/x.ts', `import { a } from '../../domains/users/index.ts';`, 'src/domains/users/index.ts'],
    ['src/db/postgres/x.ts', `import { a } from '../../operations/access.ts';`, 'src/operations/access.ts'],
    ['src/domains/a/x.ts', `import { b } from '../b/store.ts';`, 'src/domains/b/store.ts'],
    ['src/domains/a/x.ts', `import { b } from '../../core/http/route.ts';`, 'src/core/http/route.ts'],
    ['src/domains/a/x.ts', `import { b } from '../../db/embedded/index.ts';`, 'src/db/embedded/index.ts'],
    ['src/domains/a/x.ts', `import { b } from '../index.ts';`, 'src/domains/index.ts'],
    ['src/domains/index.ts', `import { b } from './b/store.ts';`, 'src/domains/b/store.ts'],
    ['src/domains/compose.ts', `import { b } from './b/store.ts';`, 'src/domains/b/store.ts'],
    ['src/domains/a/x.ts', `import { b } from '../compose.ts';`, 'src/domains/compose.ts'],
    ['src/domains/settings.ts', `import { b } from './b/index.ts';`, 'src/domains/b/index.ts'],
    ['src/domains/settings.ts', `import { a } from '../core/index.ts';`, 'src/core/index.ts'],
    ['src/domains/a/settings.ts', `import { text } from '../../core/index.ts';`, 'src/core/index.ts'],
    ['src/domains/a/settings.ts', `import { b } from './store.ts';`, 'src/domains/a/store.ts'],
    ['src/domains/a/settings.ts', `import { b } from '../b/index.ts';`, 'src/domains/b/index.ts'],
    ['src/domains/a/settings.ts', `import pg from 'pg';`, 'pg'],
    ['src/core/config/x.ts', `import { a } from '../logging/index.ts';`, 'src/core/logging/index.ts'],
    ['src/core/config/x.ts', `import Koa from 'koa';`, 'koa'],
    ['src/operations/x.ts', `import { a } from '../domains/index.ts';`, 'src/domains/index.ts'],
    ['src/application.ts', `import { a } from './db/embedded/index.ts';`, 'src/db/embedded/index.ts'],
    ['src/application.ts', `import { a } from './main.ts';`, 'src/main.ts'],
    ['instrumentation.ts', `import { a } from './src/core/http/router.ts';`, 'src/core/http/router.ts'],
    ['instrumentation.ts', `import Koa from 'koa';`, 'koa'],
    ['instrumentation.ts', `import Router from '@koa/router';`, '@koa/router'],
  ] as const) {
    it(`find that ${file} imports ${target}: ${source.replaceAll('\n', ' ')}`, () => {
      plant(file, `// A file like any other.\nimport { join } from 'node:path';\n${source}\nexport const y = join;\n`);
      expect(violations()).to.deep.equal([`${file} may not import ${target}`]);
    });
  }

  for (const [file, source] of [
    ['src/core/http/x.ts', `import { a } from '../config/index.ts';\nimport Koa from 'koa';`],
    ['src/db/postgres/x.ts', `import pg from 'pg';\nimport { a } from '../../core/context.ts';`],
    [
      'src/domains/a/x.ts',
      `import { a } from '../../core/index.ts';\nimport { b } from '../b/index.ts';\nimport { c } from './y.ts';`,
    ],
    ['src/domains/a/x.ts', `import type { Queryable } from '../../db/postgres/database.ts';`],
    ['src/domains/a/settings.ts', `import { integer } from '../../core/config/index.ts';`],
    ['src/domains/a/index.ts', `import { aSettings } from './settings.ts';`],
    ['src/domains/settings.ts', `import { aSettings } from './a/settings.ts';`],
    ['src/operations/x.ts', `import { a } from '../core/telemetry/metrics/text.ts';`],
    ['src/main.ts', `import { a } from './application.ts';\nimport { b } from './db/embedded/index.ts';`],
    ['instrumentation.ts', `import { a } from './src/core/config/index.ts';`],
    ['instrumentation.ts', `import { DOMAIN_SETTINGS } from './src/domains/settings.ts';`],
    ['src/core/x.ts', `// import { a } from '../db/postgres/pool.ts';\nexport const a = 1;`],
    ['src/core/x.ts', `export const from = "import x from '../main.ts'";`],
  ] as const) {
    it(`have nothing against ${file}: ${source.replaceAll('\n', ' ')}`, () => {
      plant(file, `${source}\n`);
      expect(violations()).to.deep.equal([]);
    });
  }

  it('read every form of an import', () => {
    const source = `import a from 'a';\nimport * as b from "b";\nimport 'c';\nimport d, { e } from 'd';\nexport * from 'f';\nexport * as g from 'g';\nexport { h } from 'h';\nimport type { I } from 'i';\nconst j = await import('j');\nimport k from 'k' with { type: 'json' };`;
    expect(importsOf(source)).to.deep.equal(['a', 'b', 'c', 'd', 'f', 'g', 'h', 'i', 'j', 'k']);
  });

  it('find nothing to look at in an empty folder, and the check fails for it', () => {
    expect(findForbiddenImports(folder)).to.deep.equal({ files: 0, violations: [] });
    for (const script of ['check.ts', 'import-rules.ts'])
      cpSync(join(ROOT, 'scripts', script), join(folder, 'scripts', script));
    const env = { PATH: folder };
    const { status, stdout } = spawnSync(process.execPath, ['scripts/check.ts'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect(stdout).to.contain('No file was looked at').and.contain('FAILED import rules');
    expect(status).to.equal(1);
  });
});
