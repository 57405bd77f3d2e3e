import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../support/service.ts';
import { checkSnippets } from './check-snippets.ts';

const CORE = { name: 'docs/core.md', markdown: readFileSync(join(ROOT, 'docs/core.md'), 'utf8') };

/** What each complaint must begin with stands in the block itself. */
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

describe('the snippets of a document', function () {
  this.timeout(60_000);
  this.slow(10_000);
  let complaints: readonly string[];
  let count: number;
  before(async () => {
    ({ complaints, count } = await checkSnippets([CORE, FAULTY]));
  });
  const about = (name: string) => complaints.filter((complaint) => complaint.startsWith(name));

  it('do in docs/core.md what the page says', () => {
    expect(count).to.be.greaterThan(15);
    expect(about('docs/core.md')).to.deep.equal([]);
  });

  it('are named with their line when they print something else, do not compile, throw, or import past the door', () => {
    expect(complaints.filter((complaint) => !complaint.startsWith('docs/core.md'))).to.deep.equal([
      "faulty.md:8:7: error TS2322: Type 'string' is not assignable to type 'number'.",
      'faulty.md:21: may not import src/core/logging/index.ts',
      'faulty.md:4: says "two", prints "one"',
      'faulty.md:9: says nothing, prints "three"',
      'faulty.md:14: Error: four',
      'faulty.md:17: says "five", prints nothing',
    ]);
  });
});
