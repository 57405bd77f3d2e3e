import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as family from '../../../src/core/errors/app-http-error.ts';
import { ROOT } from '../../support/service.ts';

const { AppHttpError, ValidationError } = family;

/** The codes that the source names where it makes an error: what stands behind `code:`, as far as its comma. */
function codesInSource(): string[] {
  const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.includes('db/embedded'));
  const texts = files.map((file) => readFileSync(join(ROOT, file), 'utf8'));
  const values = texts.flatMap((text) => [...text.matchAll(/\bcode: ([^,;}]+)/g)].map(([, value]) => value ?? ''));
  return values.flatMap((value) => [...value.matchAll(/'([a-z_]+\.[a-z_]+)'/g)].map(([, code]) => code ?? ''));
}

/** What the named errors are called when nobody gives them a better code. */
function codesOfFamily(): string[] {
  const classes = Object.values(family).filter(
    (each) => (each as { prototype?: unknown }).prototype instanceof AppHttpError,
  );
  return classes.map((each) => {
    const Named = each as new (detail: unknown) => family.AppHttpError;
    return new Named(each === (ValidationError as unknown) ? [] : 'No').code;
  });
}

describe('docs/errors.md', () => {
  const text = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z_]+\.[a-z_]+)` +\| (\d{3}) /gm)];
  const listed = rows.map(([, code]) => code ?? '');
  const known = new Set([...codesInSource(), ...codesOfFamily()]);

  it('lists every code that the service answers with: add a row for a new one', () => {
    expect([...known].filter((code) => !listed.includes(code))).to.deep.equal([]);
  });

  it('lists none that there is not', () => {
    expect(known.size).to.be.above(20);
    expect(listed.filter((code) => !known.has(code))).to.deep.equal([]);
  });

  it('lists each once, in order', () => {
    expect(listed).to.deep.equal([...new Set(listed)].sort());
  });
});
