import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { developmentKey } from '../../../src/core/security/development-keys.ts';

const run = promisify(execFile);

describe('a signing key for development', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'okapi-keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made once, long enough, and is the same ever after', () => {
    const key = developmentKey(folder, 'access-token');
    expect(Buffer.byteLength(key)).to.be.at.least(32);
    expect(developmentKey(folder, 'access-token')).to.equal(key);
    expect(developmentKey(folder, 'refresh-token')).to.not.equal(key);
  });

  it('can be read by its owner alone, and leaves nothing beside it', () => {
    developmentKey(folder, 'access-token');
    expect(readdirSync(join(folder, 'keys'))).to.deep.equal(['access-token-signing-key']);
    expect(statSync(join(folder, 'keys', 'access-token-signing-key')).mode & 0o777).to.equal(0o600);
    expect(statSync(join(folder, 'keys')).mode & 0o777).to.equal(0o700);
  });

  it('is one for processes that start together', async () => {
    const source = import.meta.resolve('../../../src/core/security/development-keys.ts');
    const script = `const { developmentKey } = await import(${JSON.stringify(source)});
      process.stdout.write(developmentKey(process.argv[1], 'access-token'));`;
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', script, folder])),
    );
    expect(new Set(outputs.map(({ stdout }) => stdout)).size).to.equal(1);
    expect(readdirSync(join(folder, 'keys'))).to.deep.equal(['access-token-signing-key']);
  });

  it('is made although an earlier start was killed before it had one', () => {
    developmentKey(folder, 'refresh-token');
    writeFileSync(join(folder, 'keys', `access-token-signing-key.${process.pid}`), 'half');
    const key = developmentKey(folder, 'access-token');
    expect(Buffer.byteLength(key)).to.be.at.least(32);
  });

  it('is made anew in place of an empty file', () => {
    developmentKey(folder, 'refresh-token');
    const path = join(folder, 'keys', 'access-token-signing-key');
    writeFileSync(path, '');
    chmodSync(path, 0o600);
    const key = developmentKey(folder, 'access-token');
    expect(Buffer.byteLength(key)).to.be.at.least(32);
    expect(developmentKey(folder, 'access-token')).to.equal(key);
  });
});
