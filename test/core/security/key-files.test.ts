import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { calculateJwkThumbprint } from 'jose';
import { readKeyFolder } from '../../../src/core/security/key-files.ts';
import { writeNewKeyFile } from '../../../src/core/security/new-key-file.ts';

const pem = (key: KeyObject) => key.export({ format: 'pem', type: key.type === 'public' ? 'spki' : 'pkcs8' }) as string;
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });

describe('a folder of keys', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'okapi-keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const put = (name: string, content: string, mode = 0o600) => {
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), mode);
  };

  it('is empty where there is none, and where no file ends in .pem', () => {
    put('README', 'no key');
    const nothing = { files: [], problems: [], warnings: [] };
    expect(readKeyFolder(folder)).to.deep.equal(nothing);
    expect(readKeyFolder(join(folder, 'none'))).to.deep.equal(nothing);
  });

  it('gives each key its algorithm, its thumbprint for an id, and the time in its name', async () => {
    put('20260131T120000Z-b.pem', pem(ec('P-256').privateKey));
    put('a.pem', pem(generateKeyPairSync('ed25519').publicKey));
    put('c.pem', pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));
    const { files, problems, warnings } = readKeyFolder(folder);
    expect([problems, warnings]).to.deep.equal([[], []]);
    expect(files.map(({ key }) => [key.algorithm, key.signsFrom, key.signing !== undefined])).to.deep.equal([
      ['ES256', Date.UTC(2026, 0, 31, 12), true],
      ['EdDSA', 0, false],
      ['RS256', 0, true],
    ]);
    for (const { key } of files) {
      expect(key.kid).to.equal(await calculateJwkThumbprint(key.publicJwk ?? {}));
    }
  });

  it('takes what was written as a new key, which only its owner can read', () => {
    const inside = join(folder, 'made');
    const { path, key } = writeNewKeyFile(inside, 'ES256', Date.UTC(2026, 0, 31, 12, 0, 0, 700));
    expect(path).to.match(/20260131T120000Z-ES256-[\w-]{8}\.pem$/);
    expect([statSync(path).mode & 0o777, statSync(inside).mode & 0o777]).to.deep.equal([0o600, 0o700]);
    const { files } = readKeyFolder(inside);
    expect(files.map((file) => [file.path, file.key.kid])).to.deep.equal([[path, key.kid]]);
    expect(files[0]?.key.signsFrom).to.equal(Date.UTC(2026, 0, 31, 12));
  });

  it('warns of a private key that everybody can read, not of a public one', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    put('private.pem', pem(privateKey), 0o644);
    put('public.pem', pem(publicKey), 0o644);
    const { warnings } = readKeyFolder(folder);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.match(/private\.pem can be read by every user .*: chmod 600 /);
  });

  for (const [what, content, said] of [
    [
      'RSA of 1024 bits',
      () => pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
      'RSA key of 1024 bits',
    ],
    [
      'RSA with the exponent 3',
      () => pem(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey),
      'the exponent 3',
    ],
    ['another curve', () => pem(ec('P-384').privateKey), 'EC key on the curve secp384r1'],
    ['the curve of coins', () => pem(ec('secp256k1').privateKey), 'EC key on the curve secp256k1'],
    ['a kind that does not sign', () => pem(generateKeyPairSync('x25519').privateKey), 'kind x25519'],
    ['no PEM', () => 'secret text', 'is no PEM'],
    ['a certificate', () => '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----', 'holds "CERTIFICATE"'],
    [
      'an encrypted key',
      () =>
        ec('P-256').privateKey.export({
          format: 'pem',
          type: 'pkcs8',
          cipher: 'aes-256-cbc',
          passphrase: 'x',
        }) as string,
      'holds "ENCRYPTED PRIVATE KEY"',
    ],
    ['a damaged key', () => pem(ec('P-256').privateKey).slice(0, 60), 'is damaged'],
    ['more than a key', () => `${'x'.repeat(70_000)}`, 'larger than 64 KiB'],
  ] as const) {
    it(`names the file and what is allowed for ${what}, and nothing of the key`, () => {
      const text = content();
      put('bad.pem', text);
      const { files, problems } = readKeyFolder(folder);
      expect(files).to.deep.equal([]);
      expect(problems).to.have.lengthOf(1);
      expect(problems[0])
        .to.contain(`${join(folder, 'bad.pem')} `)
        .and.contain(said)
        .and.contain('allowed are RSA keys of at least 2048 bits, EC keys on P-256 and Ed25519 keys')
        .and.not.contain('secret text');
      expect(problems[0]).not.to.contain('\n');
    });
  }

  it('names every bad file, and one that cannot be read', () => {
    put('a.pem', 'x');
    mkdirSync(join(folder, 'b.pem'));
    put('20261331T000000Z.pem', pem(ec('P-256').privateKey));
    const { problems } = readKeyFolder(folder);
    expect(problems).to.have.lengthOf(3);
    expect(problems.join('\n')).to.contain('which is no time').and.contain('cannot be read (EISDIR)');
  });
});
