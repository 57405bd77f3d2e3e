import { context } from '@opentelemetry/api';
import argon2 from 'argon2';
import { expect } from 'chai';
import { Carrier, contextWith } from '../../../src/core/context.ts';
import { ServiceUnavailableError } from '../../../src/core/errors/app-http-error.ts';
import { Gate } from '../../../src/core/security/gate.ts';
import { type Argon2, PasswordSecurity } from '../../../src/core/security/passwords.ts';

const PASSWORD = 'correct horse battery';
const CHEAP = { passwordMinLength: 15, argon2MemoryKib: 7168, argon2TimeCost: 1, argon2Concurrency: 1 };

/** `$argon2id$v=19$m=7168,t=1,p=1` of a hash: all that decides how long a verification takes. */
const parametersOf = (hash: string) => hash.split('$').slice(0, 4).join('$');

/** The real Argon2, and a list of what it was asked to do. */
function recorded(): { work: Argon2; ran: string[] } {
  const ran: string[] = [];
  const work = {
    hash: (...args: [string]) => {
      ran.push('hash');
      return argon2.hash(...args);
    },
    verify: (...args: [string, string]) => {
      ran.push(`verify '${args[1]}' against ${parametersOf(args[0])}`);
      return argon2.verify(...args);
    },
  } as Argon2;
  return { work, ran };
}

describe('PasswordSecurity', () => {
  const passwords = new PasswordSecurity({ ...CHEAP, argon2Concurrency: 2 });

  it('hashes with Argon2id and the parameters of the settings, and a salt of its own', async () => {
    const hashes = await Promise.all([
      passwords.generatePasswordHash(PASSWORD),
      passwords.generatePasswordHash(PASSWORD),
    ]);
    for (const hash of hashes) expect(hash).to.match(/^\$argon2id\$v=19\$m=7168,(t=1,p=1|p=1,t=1)\$/);
    expect(hashes[0]).to.not.equal(hashes[1]);
  });

  it('knows the password that was hashed, and no other', async () => {
    const hash = await passwords.generatePasswordHash(PASSWORD);
    expect(await passwords.verifyPassword(PASSWORD, hash)).to.equal(true);
    for (const wrong of ['', 'Correct horse battery', `${PASSWORD} `, `${PASSWORD}\0`, PASSWORD.slice(0, -1)]) {
      expect(await passwords.verifyPassword(wrong, hash), JSON.stringify(wrong)).to.equal(false);
    }
  });

  it('keeps apart passwords that differ only after a null or after many characters', async () => {
    const long = 'x'.repeat(1000);
    const hash = await passwords.generatePasswordHash(`${long}\0a`);
    expect(await passwords.verifyPassword(`${long}\0b`, hash)).to.equal(false);
    expect(await passwords.verifyPassword(`${long}\0a`, hash)).to.equal(true);
  });

  for (const [what, typed, other] of [
    ['composed and decomposed letters', 'caf\u00e9 caf\u00e9 caf\u00e9', 'cafe\u0301 cafe\u0301 cafe\u0301'],
    ['full-width and plain letters', '\uff41\uff42\uff43 horse battery', 'abc horse battery'],
    ['a ligature and its letters', '\ufb01ne horse battery', 'fine horse battery'],
  ] as const) {
    it(`takes one password typed on two keyboards for one: ${what}`, async () => {
      expect(await passwords.verifyPassword(other, await passwords.generatePasswordHash(typed))).to.equal(true);
    });
  }

  it('knows no password to what is no hash', async () => {
    for (const hash of ['', 'plain', PASSWORD, '$2b$10$abcdefghijklmnopqrstuv']) {
      expect(await passwords.verifyPassword(PASSWORD, hash)).to.equal(false);
    }
  });

  it('asks for a new hash when the parameters of the settings have changed', async () => {
    const hash = await passwords.generatePasswordHash(PASSWORD);
    expect(passwords.needsRehash(hash)).to.equal(false);
    expect(new PasswordSecurity({ ...CHEAP, argon2MemoryKib: 8192 }).needsRehash(hash)).to.equal(true);
    expect(new PasswordSecurity({ ...CHEAP, argon2TimeCost: 2 }).needsRehash(hash)).to.equal(true);
  });

  it('finds nobody where there is nobody, after the work of one verification', async () => {
    const { work, ran } = recorded();
    const strong = new PasswordSecurity(CHEAP, work);
    const hash = await strong.generatePasswordHash(PASSWORD);
    await strong.warmUp();

    const workOf = async (answer: Promise<boolean>) => {
      expect(await answer).to.equal(false);
      return ran.splice(0);
    };
    ran.length = 0;
    const known = await workOf(strong.verifyPassword('wrong', hash));
    expect(known).to.deep.equal([`verify 'wrong' against ${parametersOf(hash)}`]);
    for (const when of ['first', 'next']) {
      expect(await workOf(strong.verifyAgainstNobody('wrong')), `the ${when} of the unknown`).to.deep.equal(known);
    }
  });

  it('makes the hash for unknown users once, also for those who come before it is there', async () => {
    const { work, ran } = recorded();
    const strong = new PasswordSecurity({ ...CHEAP, argon2Concurrency: 3 }, work);
    await Promise.all([strong.warmUp(), strong.verifyAgainstNobody('wrong'), strong.verifyAgainstNobody('wrong')]);
    expect(ran.map((each) => each.split(' ')[0])).to.deep.equal(['hash', 'verify', 'verify']);
  });

  it('lets 32 wait for a hash; the next is told at once to come again', async () => {
    const narrow = new PasswordSecurity(CHEAP);
    const hash = await narrow.generatePasswordHash(PASSWORD);
    const all = Array.from({ length: 40 }, () => narrow.verifyPassword(PASSWORD, hash));
    const roomless = narrow.refusal();
    const outcomes = await Promise.allSettled(all);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).to.have.lengthOf(33);
    for (const { reason } of [...refused, { reason: roomless }]) {
      expect(reason).to.be.instanceOf(ServiceUnavailableError);
      expect(reason).to.deep.include({ status: 503, code: 'auth.busy', headers: { 'Retry-After': '1' } });
    }
    expect(narrow.refusal()).to.equal(undefined);
    expect(await narrow.verifyPassword(PASSWORD, hash), 'afterwards all is well').to.equal(true);
  });

  it('is well again after the hash for unknown users could not be made at first', async () => {
    const narrow = new PasswordSecurity(CHEAP);
    const flood = Array.from({ length: 33 }, () => narrow.generatePasswordHash(PASSWORD));
    const refused = await narrow.verifyAgainstNobody(PASSWORD).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ServiceUnavailableError);
    await Promise.all(flood);
    expect(await narrow.verifyAgainstNobody(PASSWORD)).to.equal(false);
  });

  it('adds up on the request how long it waited its turn', async () => {
    const narrow = new PasswordSecurity(CHEAP);
    const carrier = new Carrier();
    const first = narrow.generatePasswordHash(PASSWORD);
    await context.with(contextWith(carrier), () => narrow.generatePasswordHash(PASSWORD));
    await first;
    expect(carrier.spent.hashQueueMs).to.be.greaterThan(0.5);
  });

  describe('of a new password says', () => {
    for (const [what, password, rules] of [
      ['nothing when it is long enough', 'kxq zwv jhp bnt', []],
      ['nothing when it is as long as it may be', 'kxqzwvjh'.repeat(16), []],
      ['that it is too short', 'x'.repeat(14), ['minLength']],
      ['that it is too long', 'x'.repeat(129), ['maxLength']],
      ['that it is too short, by code points', '\u{1f511}'.repeat(14), ['minLength']],
      ['nothing, by code points', '\u{1f511}'.repeat(128), []],
      ['that it is too short once normalised', 'e\u0301'.repeat(14), ['minLength']],
    ] as const) {
      it(what, () => {
        const problems = passwords.findPasswordProblems(password, '/body/password');
        expect(problems.map(({ rule }) => rule)).to.deep.equal(rules);
        expect(JSON.stringify(problems)).to.not.contain(password);
      });
    }

    for (const password of [
      'passwordpassword',
      'PasswordPassword',
      'password-password',
      'password1password1password1',
      'password1234567',
      'Password!!!!!!!!!',
      'monkey_2026_11_24',
      'dragondragondragon!1',
      '123456789012345',
      '111111111111111',
      'xxxxxxxxxxxxxxxxxxxx',
      '\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44_2026_11',
    ]) {
      it(`that it is common: ${password}`, () => {
        const problems = passwords.findPasswordProblems(password, '/body/password');
        expect(problems.map(({ rule }) => rule)).to.deep.equal(['commonPassword']);
      });
    }

    for (const password of [
      'correct horse battery',
      'my password is a poem',
      'password of the princess',
      '77#41=90%32!58?66+13',
      'a1b2c3d4e5f6g7h8i9',
      '2026 was a long year',
    ]) {
      it(`nothing when something common is only a part of it: ${password}`, () =>
        expect(passwords.findPasswordProblems(password, '/body/password')).to.deep.equal([]));
    }

    for (const [password, rules] of [
      ['lovelace and her engine', ['ownAddress']],
      ['the LOVELACE engine no. 1', ['ownAddress']],
      ['an engine for analytic use', ['ownAddress']],
      ['ada wrote the first one', []],
      ['orgy of the machines', []],
    ] as const) {
      it(`of the account ada.lovelace@analytic.org: ${password}`, () => {
        const problems = passwords.findPasswordProblems(password, '/body/password', 'ada.lovelace@analytic.org');
        expect(problems.map(({ rule }) => rule)).to.deep.equal(rules);
      });
    }

    it('the same at any length, without taking long', () => {
      for (let length = 15; length <= 128; length++) {
        for (const text of ['~-', '1', '12', '9\u0301', 'ab', '*'.repeat(7) + 1]) {
          const password = text.repeat(length).slice(0, length);
          expect(passwords.findPasswordProblems(password, '').length).to.be.at.most(1);
        }
      }
    });
  });

  it('hashes tokens with SHA-256, and knows them again', () => {
    const hash = passwords.generateTokenHash('abc');
    expect(hash).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(passwords.verifyTokenHash('abc', hash)).to.equal(true);
    for (const other of ['', 'abd', 'abc ']) expect(passwords.verifyTokenHash(other, hash)).to.equal(false);
    for (const broken of ['', 'zz', hash.slice(2), `${hash}00`]) {
      expect(passwords.verifyTokenHash('abc', broken)).to.equal(false);
    }
  });
});

describe('a gate', () => {
  it('lets no more in than it may, in the order in which they came, and nobody slips in between', async () => {
    const gate = new Gate(2, 10);
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    const pass = async (n: number) => {
      const leave = await gate.enter();
      order.push(n);
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      leave?.();
    };
    await Promise.all(Array.from({ length: 12 }, (_, n) => pass(n)));
    expect({ most, inside }).to.deep.equal({ most: 2, inside: 0 });
    expect(order).to.deep.equal(order.toSorted((a, b) => a - b));
  });

  it('turns away at once when too many wait, and only then', async () => {
    const gate = new Gate(1, 1);
    const leave = await gate.enter();
    const waiting = gate.enter();
    expect(await gate.enter()).to.equal(undefined);
    leave?.();
    const leaveSecond = await waiting;
    leaveSecond?.();
    expect(await gate.enter()).to.be.a('function');
  });
});
