import { createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { keyPair, secretKey, type TokenAlgorithm, type TokenKey } from '../../../src/core/security/token-key.ts';
import { KeyRing, TokenKeys } from '../../../src/core/security/token-keys.ts';
import { InvalidTokenError, JwtService } from '../../../src/core/security/tokens.ts';

const USER = randomUUID();
const SESSION = randomUUID();
const START = Date.UTC(2026, 0, 31, 12);
const MAKE = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const;

type Pair = { key: TokenKey; privateKey: KeyObject | Uint8Array };

function makeKey(algorithm: TokenAlgorithm): Pair {
  if (algorithm === 'HS256') {
    const secret = randomUUID() + randomUUID();
    return { key: secretKey(secret), privateKey: Buffer.from(secret) };
  }
  const { privateKey } = MAKE[algorithm]();
  return { key: keyPair(privateKey, 0), privateKey };
}

async function reasonOf(decoding: Promise<unknown>): Promise<string> {
  const error = await decoding.then(
    (claims) => new Error(`accepted: ${JSON.stringify(claims)}`),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(InvalidTokenError);
  return (error as InvalidTokenError).reason;
}

for (const algorithm of ['HS256', 'RS256', 'ES256', 'EdDSA'] as const) {
  describe(`tokens signed with ${algorithm}`, () => {
    const access = makeKey(algorithm);
    const refresh = makeKey(algorithm);
    const stranger = makeKey(algorithm);
    const ring = (...keys: TokenKey[]) => new KeyRing(algorithm, keys);
    const issuer = { projectIdentifier: 'shop', projectClientIdentifier: 'shop-client' };
    const service = (keys: TokenKeys) =>
      new JwtService({ ...issuer, accessTokenTtlSeconds: 900, refreshTokenTtlSeconds: 3600, keys, clock: () => START });
    const keys = new TokenKeys({ access: ring(access.key), refresh: ring(refresh.key) });
    const tokens = service(keys);

    const claims = {
      sub: USER,
      sid: SESSION,
      jti: randomUUID(),
      roles: ['user'],
      type: 'access',
      iss: 'shop',
      aud: 'shop-client',
      iat: START / 1000,
      exp: START / 1000 + 900,
    };
    const header = { alg: algorithm, typ: 'at+jwt', kid: access.key.kid };
    const sign = (change: object = {}, headers: object = {}, key = access.privateKey) =>
      new SignJWT({ ...claims, ...change } as never).setProtectedHeader({ ...header, ...headers }).sign(key);

    it('are read back, and name their key', async () => {
      const token = await tokens.createAccessToken(USER, ['user'], SESSION);
      expect(decodeProtectedHeader(token)).to.deep.equal({ alg: algorithm, typ: 'at+jwt', kid: access.key.kid });
      expect((await tokens.decodeAccessToken(token)).sub).to.equal(USER);
      const second = await tokens.createRefreshToken(USER, [], SESSION);
      expect(decodeProtectedHeader(second)).to.deep.equal({ alg: algorithm, typ: 'rt+jwt', kid: refresh.key.kid });
      expect((await tokens.decodeRefreshToken(second)).type).to.equal('refresh');
      expect((await tokens.decodeAccessToken(await sign())).jti, 'the attacks below fail for one thing').to.equal(
        claims.jti,
      );
      expect((await tokens.decodeAccessToken(await sign({}, { kid: undefined }))).jti).to.equal(claims.jti);
    });

    const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = (headers: object) => `${json({ ...header, ...headers })}.${json(claims)}`;
    const publicPem = () =>
      (access.privateKey as KeyObject).asymmetricKeyType === undefined
        ? 'no public half'
        : JSON.stringify(access.key.publicJwk);
    const hmac = (headers: object, secret: string) => {
      const input = unsigned(headers);
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    };
    const strangersJwk = async () => (algorithm === 'HS256' ? {} : await exportJWK(stranger.key.verifying));

    for (const [what, make, reasons] of [
      ['whose algorithm is none', () => `${unsigned({ alg: 'none' })}.`, ['signature']],
      ['whose algorithm is None, with a signature', () => `${unsigned({ alg: 'None' })}.AAAA`, ['signature']],
      ['signed by HMAC with the public key for a secret', () => hmac({ alg: 'HS256' }, publicPem()), ['signature']],
      ['signed by HMAC with nothing for a secret', () => hmac({ alg: 'HS256' }, '\0'), ['signature']],
      [
        'that brings its own jwk',
        async () => sign({}, { jwk: await strangersJwk() }, stranger.privateKey),
        ['signature'],
      ],
      ['whose kid leaves the folder', () => sign({}, { kid: '../../../../dev/null' }), ['signature']],
      ['whose kid is SQL', () => sign({}, { kid: "x' or 1=1 --" }), ['signature']],
      ['whose kid is __proto__', () => sign({}, { kid: '__proto__' }), ['signature']],
      ['whose kid is no text', () => sign({}, { kid: ['a'] }), ['malformed']],
      ['with the kid of the other type', () => sign({}, { kid: refresh.key.kid }), ['signature']],
      ['signed with the key of refresh tokens', () => sign({}, {}, refresh.privateKey), ['signature']],
      ['of another issuer', () => sign({ iss: 'evil' }), ['claim']],
      ['for another audience', () => sign({ aud: 'evil' }), ['claim']],
      ['whose header says rt+jwt', () => sign({}, { typ: 'rt+jwt' }), ['type']],
      ['whose header says JWT', () => sign({}, { typ: 'JWT' }), ['type']],
      ['whose type is refresh', () => sign({ type: 'refresh' }), ['type']],
      ['that has expired', () => sign({ exp: START / 1000 - 5 }), ['expired']],
      ['that is not valid yet', () => sign({ nbf: START / 1000 + 6 }), ['claim']],
      ['that was issued in the future', () => sign({ iat: START / 1000 + 6 }), ['claim']],
      ['without an expiry', () => sign({ exp: undefined }), ['claim']],
      ['that lives for longer than any of ours', () => sign({ exp: START / 1000 + 90_000 }), ['claim']],
      ['that lives for ever', () => sign({ exp: 1e300 }), ['claim']],
      ['whose expiry is a text', () => sign({ exp: '9999999999' }), ['claim']],
      ['that was truncated', async () => (await sign()).slice(0, -4), ['signature', 'malformed']],
      ['without its last part', async () => (await sign()).split('.').slice(0, 2).join('.'), ['malformed']],
      ['with one more part', async () => `${await sign()}.AAAA`, ['malformed']],
      ['with a dot at its end', async () => `${await sign()}.`, ['malformed']],
      ['with a space in it', async () => (await sign()).replace('.', '. '), ['malformed']],
      ['with a line break at its end', async () => `${await sign()}\n`, ['malformed']],
      ['of a megabyte', async () => (await sign()).replace('.', `.${'A'.repeat(1_048_576)}`), ['malformed']],
      [
        'whose header is not UTF-8',
        async () => `${Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('base64url')}.${json(claims)}.AAAA`,
        ['malformed'],
      ],
    ] as [string, () => Promise<string> | string, string[]][]) {
      it(`are refused, also the second time: one ${what}`, async () => {
        const token = await make();
        for (let time = 1; time <= 2; time++) {
          expect(await reasonOf(tokens.decodeAccessToken(token))).to.be.oneOf(reasons);
        }
      });
    }

    it('are spelled in one way only', async () => {
      const token = await tokens.createRefreshToken(USER, [], SESSION);
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const last = alphabet.indexOf(token.at(-1) ?? '');
      // 32, 64 and 256 bytes leave bits over in the last character, which decoders overlook.
      const twin = `${token.slice(0, -1)}${alphabet[last ^ 1]}`;
      const bytes = (each: string) => Buffer.from(each.slice(each.lastIndexOf('.') + 1), 'base64url').toString('hex');
      expect(bytes(twin), 'the same signature').to.equal(bytes(token));
      expect(await reasonOf(tokens.decodeRefreshToken(twin))).to.equal('malformed');
    });

    it('of one type never pass for the other', async () => {
      const one = await tokens.createAccessToken(USER, [], SESSION);
      const other = await tokens.createRefreshToken(USER, [], SESSION);
      expect(await reasonOf(tokens.decodeRefreshToken(one))).to.equal('signature');
      expect(await reasonOf(tokens.decodeAccessToken(other))).to.equal('signature');
    });

    it('are never the reason to fetch anything', async () => {
      let asked = 0;
      const server = http.createServer((_, response) => {
        asked++;
        response.end(JSON.stringify({ keys: [stranger.key.publicJwk] }));
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
      try {
        for (const name of ['jku', 'x5u']) {
          const token = await sign({}, { [name]: url, kid: stranger.key.kid }, stranger.privateKey);
          expect(await reasonOf(tokens.decodeAccessToken(token))).to.equal('signature');
        }
        expect(asked).to.equal(0);
      } finally {
        server.close();
      }
    });

    it('are refused from the moment on in which their key is removed, although they were good before', async () => {
      const next = makeKey(algorithm);
      const held = new TokenKeys({ access: ring(access.key), refresh: ring(refresh.key) });
      const rotating = service(held);
      const token = await rotating.createAccessToken(USER, [], SESSION);
      const known = await rotating.decodeAccessToken(token);
      const checksOnly = { ...access.key, signing: undefined };
      held.replace({ access: ring(next.key, checksOnly), refresh: ring(refresh.key) });
      expect(await rotating.decodeAccessToken(token), 'still remembered').to.equal(known);
      const later = await rotating.createAccessToken(USER, [], SESSION);
      expect(decodeProtectedHeader(later).kid).to.equal(next.key.kid);
      held.replace({ access: ring(next.key), refresh: ring(refresh.key) });
      expect(await reasonOf(rotating.decodeAccessToken(token))).to.equal('signature');
      expect((await rotating.decodeAccessToken(later)).sub).to.equal(USER);
    });

    it('can be checked by others with the published keys, but for refresh tokens', async () => {
      const published = tokens.publicKeys();
      if (algorithm === 'HS256') {
        expect(published).to.deep.equal({ keys: [] });
        return;
      }
      expect(published.keys.map(({ kid, alg, use }) => ({ kid, alg, use }))).to.deep.equal([
        { kid: access.key.kid, alg: algorithm, use: 'sig' },
      ]);
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(published.keys[0]).not.to.have.property(name);
      const jwks = createLocalJWKSet(JSON.parse(JSON.stringify(published)) as JSONWebKeySet);
      const check = { issuer: 'shop', audience: 'shop-client', currentDate: new Date(START) };
      const { payload } = await jwtVerify(await tokens.createAccessToken(USER, [], SESSION), jwks, check);
      expect(payload.sub).to.equal(USER);
      const refused = await jwtVerify(await tokens.createRefreshToken(USER, [], SESSION), jwks, check).catch(
        (error: { code: string }) => error.code,
      );
      expect(refused).to.equal('ERR_JWKS_NO_MATCHING_KEY');
    });
  });
}

describe('keys of tokens', () => {
  const key = (signsFrom: number) => keyPair(MAKE.EdDSA().privateKey, signsFrom);

  it('sign from their time on, the newest of those whose time has come', () => {
    const [first, second, third] = [key(100), key(200), key(300)];
    const ring = new KeyRing('EdDSA', [third, first, second]);
    expect([0, 100, 199, 200, 299, 300, 1e15].map((now) => ring.signingKey(now))).to.deep.equal([
      first,
      first,
      first,
      second,
      second,
      third,
      third,
    ]);
  });

  it('of another algorithm check, and do not sign', () => {
    const ec = keyPair(MAKE.ES256().privateKey, 900);
    const ring = new KeyRing('EdDSA', [key(1), ec, secretKey('s'.repeat(32))]);
    expect(ring.signingKey(1000).algorithm).to.equal('EdDSA');
    expect(ring.find(ec.kid)).to.equal(ec);
    expect(ring.publicJwks, 'a secret is not published').to.have.lengthOf(2);
  });

  it('are refused where none can sign, and where both types have one in common', () => {
    const only = keyPair(MAKE.ES256().publicKey, 0);
    expect(() => new KeyRing('ES256', [only])).to.throw(RangeError);
    const ring = new KeyRing('EdDSA', [key(0)]);
    expect(() => new TokenKeys({ access: ring, refresh: ring })).to.throw(RangeError);
  });
});
