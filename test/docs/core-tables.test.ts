import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as core from '../../src/core/index.ts';
import { Counter, Gauge, Histogram } from '../../src/core/telemetry/metrics/instruments.ts';
import { ROOT } from '../support/service.ts';

const page = readFileSync(join(ROOT, 'docs/core.md'), 'utf8');
const sourceOf = (file: string) => readFileSync(join(ROOT, 'src/core', file), 'utf8');

/** The rows of the first table below a heading, as the cells of each. */
function tableBelow(heading: string): string[][] {
  const section = page.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const [table = ''] = /^\|.*(?:\n\|.*)*/m.exec(section) ?? [];
  const rows = table.split('\n').map((row) => row.split('|').slice(1, -1));
  return rows.slice(2).map((cells) => cells.map((cell) => cell.trim()));
}

const code = (text: string) => `\`${text}\``;
const inCode = (cell = '') => /^`([^`]*)`$/.exec(cell)?.[1] ?? '';

const DECLARED = /^export (?:abstract class|class|async function|function|const|type|interface) (\w+)/gm;

/** What the door exports, types included, by the file that it comes from. */
function exportsOfTheDoor(): [name: string, file: string][] {
  const door = sourceOf('index.ts');
  const listed = [...door.matchAll(/^export (?:type )?\{([^}]*)\} from '\.\/(.*)';$/gm)].flatMap(
    ([, names = '', file = '']) =>
      names
        .split(',')
        .map((name) => name.replace(/^\s*(type )?/, '').trim())
        .filter((name) => name !== '')
        .map((name): [string, string] => [name, file]),
  );
  const whole = [...door.matchAll(/^export \* from '\.\/(.*)';$/gm)].flatMap(([, file = '']) =>
    [...sourceOf(file).matchAll(DECLARED)].map(([, name = '']): [string, string] => [name, file]),
  );
  return [...listed, ...whole];
}

describe('docs/core.md', () => {
  it('lists every export of the door and no other', () => {
    const exported = exportsOfTheDoor().map(([name]) => name);
    expect(exported, 'how this test reads the door').to.include.members(Object.keys(core));
    const listed = tableBelow('Every export').map(([name]) => inCode(name));
    const notListed = exported.filter((name) => !listed.includes(name));
    const notExported = listed.filter((name) => !exported.includes(name));
    expect({ notListed, notExported }).to.deep.equal({ notListed: [], notExported: [] });
    expect(listed, 'listed once').to.have.length(new Set(listed).size);
  });

  it('says of each export in which file it is', () => {
    for (const [name, file] of tableBelow('Every export')) {
      const declared = [...sourceOf(inCode(file)).matchAll(DECLARED)].map(([, each]) => each);
      expect(declared, file).to.include(inCode(name));
    }
  });

  it('gives name, type, labels and help of the registered metrics as they are', () => {
    const registered = Object.entries(core).flatMap(([name, each]) => {
      if (!(each instanceof Counter || each instanceof Gauge || each instanceof Histogram)) return [];
      const { shape } = each;
      return [[code(shape.name), code(name), shape.kind, shape.labelNames.map(code).join(' '), shape.help]];
    });
    expect(tableBelow('Metrics')).to.have.deep.members(registered).and.have.length(13);
  });

  it('names only files and folders that are there', () => {
    const named = [...page.matchAll(/`((?:src\/)?(?:core|db|domains|operations)\/[\w./-]+)`/g)]
      .map(([, path = '']) => path)
      .filter((path) => !path.startsWith('src/domains/notes/') && !path.endsWith('.py'));
    expect(named.length).to.be.greaterThan(30);
    const missing = named.filter((path) => !existsSync(join(ROOT, path.startsWith('src/') ? '' : 'src', path)));
    expect(missing).to.deep.equal([]);
  });
});
