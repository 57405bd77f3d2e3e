import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeJwt,
  decodeProtectedHeader,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { InvalidTokenError, JwtService } from '../../../src/core/security/tokens.ts';

const ACCESS_KEY = 'K7'.repeat(20);
const REFRESH_KEY = 'Q3'.repeat(20);
const USER = randomUUID();
const SESSION = randomUUID();
const START = Date.UTC(2026, 0, 31, 12);

describe('JwtService', () => {
  let now = START;
  const tokens = new JwtService({
    projectIdentifier: 'shop',
    projectClientIdentifier: 'shop-client',
    accessTokenTtlSeconds: 900,
    refreshTokenTtlSeconds: 86_400,
    accessKey: ACCESS_KEY,
    refreshKey: REFRESH_KEY,
    clock: () => now,
  });
  beforeEach(() => {
    now = START;
  });

  const reasonOf = async (decoding: Promise<unknown>): Promise<string> => {
    const error = await decoding.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(InvalidTokenError);
    return (error as InvalidTokenError).reason;
  };

  it('makes access tokens by RFC 9068 with all their claims', async () => {
    const token = await tokens.createAccessToken(USER, ['user', 'admin'], SESSION);
    expect(decodeProtectedHeader(token)).to.include({ alg: 'HS256', typ: 'at+jwt' });
    const { jti, ...claims } = decodeJwt(token);
    expect(jti).to.match(/^[0-9a-f-]{36}$/);
    expect(claims).to.deep.equal({
      sub: USER,
      roles: ['user', 'admin'],
      sid: SESSION,
      type: 'access',
      iss: 'shop',
      aud: 'shop-client',
      iat: START / 1000,
      exp: START / 1000 + 900,
    });
  });

  it('makes refresh tokens that differ in type, header, life and key', async () => {
    const token = await tokens.createRefreshToken(USER, ['user'], SESSION);
    expect(decodeProtectedHeader(token).typ).to.equal('rt+jwt');
    expect(decodeJwt(token)).to.include({ type: 'refresh', exp: START / 1000 + 86_400 });
    expect(await reasonOf(tokens.decodeAccessToken(token))).to.equal('signature');
  });

  it('reads back what it made', async () => {
    const access = await tokens.decodeAccessToken(await tokens.createAccessToken(USER, ['user'], SESSION));
    expect(access).to.deep.include({ sub: USER, sid: SESSION, roles: ['user'], type: 'access' });
    const refresh = await tokens.decodeRefreshToken(await tokens.createRefreshToken(USER, [], SESSION));
    expect(refresh).to.deep.include({ sub: USER, roles: [], type: 'refresh' });
  });

  it('never makes the same token twice', async () => {
    const made = await Promise.all([1, 2].map(() => tokens.createAccessToken(USER, [], SESSION)));
    expect(made[0]).to.not.equal(made[1]);
  });

  it('remembers that a token was good, but not past its expiry, and no other token for it', async () => {
    const token = await tokens.createAccessToken(USER, ['user'], SESSION);
    expect(tokens.knownClaims(token), 'not looked at yet').to.equal(undefined);
    const claims = await tokens.decodeAccessToken(token);
    expect(await tokens.decodeAccessToken(token)).to.equal(claims);
    expect(tokens.knownClaims(token)).to.equal(claims);
    const signature = token.slice(token.lastIndexOf('.') + 1);
    const forged = token.replace(signature, `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`);
    expect(await reasonOf(tokens.decodeAccessToken(forged))).to.equal('signature');
    expect(await reasonOf(tokens.decodeAccessToken(forged)), 'a refusal is no better the second time').to.equal(
      'signature',
    );
    expect(tokens.knownClaims(forged)).to.equal(undefined);
    expect(await reasonOf(tokens.decodeRefreshToken(token))).to.be.oneOf(['type', 'signature']);
    now = START + 905_000;
    expect(tokens.knownClaims(token)).to.equal(undefined);
    expect(await reasonOf(tokens.decodeAccessToken(token))).to.equal('expired');
    now = START;
    expect(Object.isFrozen(claims), 'nobody can change what is remembered').to.equal(true);
  });

  it('lets clocks differ by five seconds, and no more', async () => {
    const token = await tokens.createAccessToken(USER, [], SESSION);
    now = START + 904_000;
    expect((await tokens.decodeAccessToken(token)).sub).to.equal(USER);
    now = START + 906_000;
    expect(await reasonOf(tokens.decodeAccessToken(token))).to.equal('expired');
  });

  describe('refuses', () => {
    const claims: JWTPayload = {
      sub: USER,
      sid: SESSION,
      jti: randomUUID(),
      roles: [],
      type: 'access',
      iss: 'shop',
      aud: 'shop-client',
      iat: START / 1000,
      exp: START / 1000 + 900,
    };
    const sign = (change: JWTPayload = {}, header: Partial<JWTHeaderParameters> = {}, key = ACCESS_KEY) =>
      new SignJWT({ ...claims, ...change })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
        .sign(Buffer.from(key));
    const without = (claim: string) => sign({ [claim]: undefined });

    for (const [what, make, reason] of [
      ['one that has expired', () => sign({ exp: START / 1000 - 6 }), 'expired'],
      ['one that is not valid yet', () => sign({ nbf: START / 1000 + 60 }), 'claim'],
      ['one of another issuer', () => sign({ iss: 'other' }), 'claim'],
      ['one for another audience', () => sign({ aud: 'other' }), 'claim'],
      ['one without a session', () => without('sid'), 'claim'],
      ['one without an expiry', () => without('exp'), 'claim'],
      ['one without an id', () => without('jti'), 'claim'],
      ['one whose user is no UUID', () => sign({ sub: 'admin' }), 'claim'],
      ['one whose roles are no list', () => sign({ roles: 'admin' }), 'claim'],
      ['one with a role that is no text', () => sign({ roles: [1] }), 'claim'],
      ['one of another type', () => sign({ type: 'refresh' }), 'type'],
      ['one whose header says another type', () => sign({}, { typ: 'rt+jwt' }), 'type'],
      ['one whose header says no type', () => sign({}, { typ: undefined as never }), 'type'],
      ['one with another signature', () => sign({}, {}, REFRESH_KEY), 'signature'],
      ['one of another algorithm', () => sign({}, { alg: 'HS512' }, ACCESS_KEY.repeat(2)), 'signature'],
      ['one without a signature', async () => new UnsecuredJWT(claims).encode(), 'signature'],
      ['what is no token', async () => 'x', 'malformed'],
      ['nothing', async () => '', 'malformed'],
      ['four parts', async () => `${await sign()}.x`, 'malformed'],
      [
        'an extension it does not know',
        async () => `${part({ alg: 'HS256', typ: 'at+jwt', crit: ['x'], x: 1 })}.${part(claims)}.AA`,
        'malformed',
      ],
    ] as [string, () => Promise<string>, string][]) {
      it(`${what}: ${reason}`, async () =>
        expect(await reasonOf(tokens.decodeAccessToken(await make()))).to.equal(reason));
    }

    it('an access token where a refresh token is asked for', async () => {
      const token = await tokens.createAccessToken(USER, [], SESSION);
      expect(await reasonOf(tokens.decodeRefreshToken(token))).to.equal('signature');
    });

    it('without ever quoting it', async () => {
      const token = await sign({ iss: 'other' });
      const error = await tokens.decodeAccessToken(token).catch((reason: Error) => reason);
      expect(String(error)).to.equal('InvalidTokenError: The token is not accepted: claim');
    });

    it('whatever else there is, and only with that error', async () => {
      const text = fc.oneof(
        fc.string(),
        fc.array(fc.base64String(), { maxLength: 6 }).map((parts) => parts.join('.')),
      );
      await fc.assert(
        fc.asyncProperty(text, async (token) => {
          expect(await reasonOf(tokens.decodeAccessToken(token))).to.be.oneOf([
            'malformed',
            'signature',
            'type',
            'claim',
          ]);
        }),
      );
    });
  });

  it('makes the same refresh token once more from its id and its time', async () => {
    const identity = { jti: randomUUID(), issuedAt: START / 1000 - 5 };
    const first = await tokens.createRefreshToken(USER, ['user'], SESSION, identity);
    now += 3000;
    expect(await tokens.createRefreshToken(USER, ['user'], SESSION, identity)).to.equal(first);
    const { jti, iat, exp } = await tokens.decodeRefreshToken(first);
    expect({ jti, iat, exp }).to.deep.equal({ jti: identity.jti, iat: identity.issuedAt, exp: iat + 86_400 });
  });

  it('hashes tokens as SHA-256 in hex', () => {
    expect(tokens.hashToken('abc')).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
