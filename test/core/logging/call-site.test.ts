import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { callSiteOf } from '../../../src/core/logging/call-site.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './harness.ts';

describe('a call site', () => {
  after(removeTemporaryDirectories);

  it('in compiled output is the place in the TypeScript source', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    writeFileSync(join(directory, 'thing.js'), 'export function work(ask) { return ask(); }\n');
    // One mapping: the first line of the output comes from the fifth of the source.
    const map = { version: 3, sources: ['src/thing.ts'], names: [], mappings: 'AAIA' };
    writeFileSync(join(directory, 'thing.js.map'), JSON.stringify(map));
    const { work } = await import(pathToFileURL(join(directory, 'thing.js')).href);
    const ask = (): unknown => callSiteOf(ask);
    const site = work(ask);
    expect(site.module).to.match(/\/src\/thing\.ts$/);
    expect(site).to.include({ function: 'work', line: 5 });
  });

  it('without a map is the place in the output', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    writeFileSync(join(directory, 'plain.js'), '\nexport const work = (ask) => ask();\n');
    const { work } = await import(pathToFileURL(join(directory, 'plain.js')).href);
    const ask = (): unknown => callSiteOf(ask);
    expect(work(ask)).to.deep.include({ function: 'work', line: 2 });
  });

  it('leaves stacks of others as they are', () => {
    const { stackTraceLimit, prepareStackTrace } = Error;
    const ask = (): unknown => callSiteOf(ask);
    ask();
    expect({ stackTraceLimit, prepareStackTrace }).to.deep.equal({
      stackTraceLimit: Error.stackTraceLimit,
      prepareStackTrace: Error.prepareStackTrace,
    });
    expect(new Error('x').stack?.split('\n').length).to.be.above(3);
  });
});
