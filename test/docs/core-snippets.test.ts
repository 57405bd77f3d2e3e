import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../support/service.ts';
import { checkSnippets } from './check-snippets.ts';

const PAGES = ['docs/core.md', 'CONTRIBUTING.md'].map((name) => ({
  name,
  markdown: readFileSync(join(ROOT, name), 'utf8'),
}));

const FAULTY = {
  name: 'faulty.md',
  markdown: [
    '# A page that is wrong',
    '',
    '```ts',
    "console.log('one'); // → two",
    '```',
    '',
    '```ts',
    "const count: number = 'three';",
    'console.log(count);',
    '```',
    '',
    '```ts',
    'function fail(): never {',
    "  throw new Error('four');",
    '}',
    'fail();',
    '// → five',
    '```',
    '',
    '```ts',
    "import { redact } from '../../core/logging/index.ts';",
    '',
    'console.log(redact(6)); // → 6',
    '```',
  ].join('\n'),
};

describe('the ts blocks of', function () {
  this.slow(10_000);
  let checked: Awaited<ReturnType<typeof checkSnippets>>;
  before(async () => {
    checked = await checkSnippets([...PAGES, FAULTY]);
  });

  for (const { name } of PAGES) {
    it(`${name} do what the page says`, () => {
      expect(checked.count(name)).to.be.greaterThan(0);
      expect(checked.complaintsAbout(name)).to.deep.equal([]);
    });
  }

  it('a page that is wrong are named with their line: other output, types, a throw, an import past the door', () => {
    const aboutPages = PAGES.flatMap(({ name }) => checked.complaintsAbout(name));
    expect(checked.complaints.filter((complaint) => !aboutPages.includes(complaint))).to.deep.equal([
      "faulty.md:8:7: error TS2322: Type 'string' is not assignable to type 'number'.",
      'faulty.md:21: may not import src/core/logging/index.ts',
      'faulty.md:4: says "two", prints "one"',
      'faulty.md:9: says nothing, prints "three"',
      'faulty.md:14: Error: four',
      'faulty.md:17: says "five", prints nothing',
    ]);
  });
});
