import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { differences, normalize, readConsoleBlocks } from '../../scripts/console-blocks.ts';
import { ROOT } from '../support/service.ts';

describe('docs:check', () => {
  it('finds that the README is true', async function () {
    if (spawnSync('curl', ['--version']).status !== 0) this.skip();
    this.slow(10_000);
    const check = spawn(process.execPath, [join(ROOT, 'scripts', 'docs-check.ts')], { cwd: ROOT });
    let output = '';
    for (const stream of [check.stdout, check.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    }
    const [code] = await once(check, 'close');
    expect(code, output).to.equal(0);
    expect(output.match(/^ok /gm), output).to.have.length.of.at.least(8);
  });
});

describe('the console blocks of a document', () => {
  const document = [
    'Prose with $ no command.',
    '```sh',
    '$ not looked at',
    '```',
    '```console',
    '$ echo one \\',
    '    two',
    'one two',
    '',
    '$ true',
    '```',
  ].join('\n');

  it('are read as commands, continued ones whole, with the output that follows', () => {
    expect(readConsoleBlocks(document)).to.deep.equal([
      { command: 'echo one \\\n    two', output: 'one two', line: 6 },
      { command: 'true', output: '', line: 10 },
    ]);
  });

  it('are equal to what was printed when only ids, times and durations differ', () => {
    const documented =
      '{"id":"7b84c50e-aabd-45ee-9682-ba0c64f005a7","at":"2026-01-01T00:00:00.000Z","duration_ms":1.5}';
    const printed = '{"id":"0a84c50e-aabd-45ee-9682-ba0c64f005a8","at":"2027-02-03T04:05:06.789Z","duration_ms":20}\n';
    expect(differences(documented, printed)).to.deep.equal([]);
  });

  it('differ when a status, a count or a line differs, and show both sides', () => {
    expect(differences('app_requests_total{status="200"} 1', 'app_requests_total{status="200"} 2')).to.deep.equal([
      '- app_requests_total{status="200"} 1',
      '+ app_requests_total{status="200"} 2',
    ]);
    expect(differences('one', 'one\ntwo')).to.deep.equal(['+ two']);
    expect(normalize('"status": 200')).to.equal('"status": 200');
  });
});
