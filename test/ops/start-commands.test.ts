import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeArgs } from '../../src/node-args.ts';
import { ROOT } from '../support/service.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('the service is started with the same arguments', () => {
  const command = `node ${nodeArgs().join(' ')} src/main.ts`;

  it('by npm start', () => expect(JSON.parse(read('package.json')).scripts.start).to.equal(`exec ${command}`));

  it('in a container, of what was built', () => {
    const given = /\nCMD (\[[^\]]+\])\n/.exec(read('Dockerfile'))?.[1]?.replaceAll('\\\n', '') ?? '[]';
    const built = command.replaceAll('./', './dist/').replaceAll('.ts', '.js').replace('src/', 'dist/src/');
    expect(JSON.parse(given).join(' ')).to.equal(built);
  });

  it('on a Node of your own, as the README says', () => expect(read('README.md')).to.include(`\n${command}\n`));
});
