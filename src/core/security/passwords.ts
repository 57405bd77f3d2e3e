import { randomUUID, timingSafeEqual } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import argon2 from 'argon2';
import type { Settings } from '../config/index.ts';
import { currentCarrier } from '../context.ts';
import { type FieldProblem, ServiceUnavailableError, ValidationError } from '../errors/app-http-error.ts';
import { exceptionTypeOf } from '../errors/exception-type.ts';
import { PASSWORDS_SCOPE } from '../telemetry/scopes.ts';
import { type ClientSpan, type ClientSpanFailure, ClientSpanShape } from '../telemetry/spans/client-span.ts';
import { inClientSpan } from '../telemetry/spans/tracing.ts';
import { isCommonPassword } from './common-passwords.ts';
import { Gate } from './gate.ts';
import { tokenHash } from './token-hash.ts';

export type PasswordOptions = Pick<
  Settings,
  'passwordMinLength' | 'argon2MemoryKib' | 'argon2TimeCost' | 'argon2Concurrency'
>;

/** What does the work: hashing, and checking against a hash. */
export type Argon2 = Pick<typeof argon2, 'hash' | 'verify'>;

const MAX_LENGTH = 128;
/** 128 characters take 512 bytes, and up to twice as many before NFKC. */
const MAX_BYTES = 1024;
const MIN_ADDRESS_PART = 4;
const MAX_WAITING = 32;
const HASH = new ClientSpanShape(PASSWORDS_SCOPE, 'hash password', {}, SpanKind.INTERNAL);
const VERIFY = new ClientSpanShape(PASSWORDS_SCOPE, 'verify password', {}, SpanKind.INTERNAL);

// Made once and never thrown: in a flood of sign-ins, refusing must cost next to nothing.
const BUSY = busy();

/** Hashes and checks passwords with Argon2id (OWASP Password Storage), a bounded number at a time. */
export class PasswordSecurity {
  readonly #options: PasswordOptions;
  readonly #argon2: Argon2;
  readonly #parameters;
  readonly #gate: Gate;
  #dummyHash: Promise<string> | undefined;

  constructor(options: PasswordOptions, work: Argon2 = argon2) {
    this.#options = options;
    this.#argon2 = work;
    this.#parameters = {
      type: argon2.argon2id,
      memoryCost: options.argon2MemoryKib,
      timeCost: options.argon2TimeCost,
      parallelism: 1,
    } as const;
    this.#gate = new Gate(options.argon2Concurrency, MAX_WAITING);
  }

  /** The 503 that hashing would end in now, to be answered before anything else is done; `undefined` where there is room. */
  refusal(): ServiceUnavailableError | undefined {
    return this.#gate.isFull ? BUSY : undefined;
  }

  /** The PHC string of a password. Throws 503 when too many hashes wait already. */
  generatePasswordHash(password: string): Promise<string> {
    return this.#hashing(HASH, () => this.#argon2.hash(normalize(password), this.#parameters));
  }

  /** Whether the password is the one that was hashed; `false` for a hash that is none. */
  verifyPassword(password: string, hash: string): Promise<boolean> {
    return this.#hashing(VERIFY, async () => {
      try {
        return await this.#argon2.verify(hash, normalize(password));
      } catch (error) {
        if (!hash.startsWith('$argon2')) return false;
        throw error;
      }
    });
  }

  /** Does the work of `verifyPassword` for an account that does not exist, so that time tells nothing. */
  async verifyAgainstNobody(password: string): Promise<false> {
    await this.verifyPassword(password, await this.#hashOfNobody());
    return false;
  }

  /** Makes the hash that unknown users are checked against, so that the first of them takes no longer. */
  async warmUp(): Promise<void> {
    await this.#hashOfNobody();
  }

  /** Made once; anew when it could not be made, since the queue was full. */
  #hashOfNobody(): Promise<string> {
    this.#dummyHash ??= this.generatePasswordHash(randomUUID()).catch((error: unknown) => {
      this.#dummyHash = undefined;
      throw error;
    });
    return this.#dummyHash;
  }

  /** Whether a hash was made with other parameters than today's. */
  needsRehash(hash: string): boolean {
    return argon2.needsRehash(hash, this.#parameters);
  }

  /**
   * What is wrong with a new password (NIST SP 800-63B-4 §3.1.1.2); empty when nothing is. `address` is that of the
   * account, in the form in which it is kept.
   */
  findPasswordProblems(password: string, field: string, address = ''): FieldProblem[] {
    const text = normalize(password);
    const { length } = [...text];
    const { passwordMinLength: minimum } = this.#options;
    if (length < minimum) {
      return [{ field, message: `must have at least ${minimum} characters`, rule: 'minLength', allowed: minimum }];
    }
    if (length > MAX_LENGTH) {
      return [{ field, message: `must have at most ${MAX_LENGTH} characters`, rule: 'maxLength', allowed: MAX_LENGTH }];
    }
    if (isCommonPassword(text)) {
      return [{ field, message: 'is one of the most common passwords, or made of one', rule: 'commonPassword' }];
    }
    if (partsOf(address).some((part) => text.toLowerCase().includes(part))) {
      return [{ field, message: 'must not contain a part of the e-mail address', rule: 'ownAddress' }];
    }
    return [];
  }

  /** Throws 422 on a text that is longer than any password can be, before anything is computed from it. */
  assertVerifiable(password: string, field: string): void {
    if (Buffer.byteLength(password) <= MAX_BYTES) return;
    const message = `must have at most ${MAX_BYTES} bytes`;
    throw new ValidationError([{ field, message, rule: 'maxBytes', allowed: MAX_BYTES }]);
  }

  /** SHA-256 in hex, for tokens: they are random enough to need no stretching. */
  generateTokenHash(token: string): string {
    return tokenHash(token);
  }

  /** In constant time. */
  verifyTokenHash(token: string, hash: string): boolean {
    const expected = Buffer.from(hash, 'hex');
    const actual = Buffer.from(this.generateTokenHash(token), 'hex');
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  }

  /** In its turn, under a span of the request that has it done. */
  #hashing<T>(shape: ClientSpanShape, work: () => Promise<T>): Promise<T> {
    const inTurn = async (span: ClientSpan | undefined): Promise<T> => {
      const askedAt = performance.now();
      const leave = await this.#gate.enter();
      if (leave === undefined) throw busy();
      const waitedMs = performance.now() - askedAt;
      if (span !== undefined) span.attributes = { 'okapi.hash_queue_ms': waitedMs };
      const carrier = currentCarrier();
      if (carrier !== undefined) carrier.spending.hashQueueMs += waitedMs;
      try {
        return await work();
      } finally {
        leave();
      }
    };
    return inClientSpan(shape, inTurn, failureOf);
  }
}

function busy(): ServiceUnavailableError {
  return new ServiceUnavailableError('Too many sign-ins at this moment', { code: 'auth.busy' });
}

/** The library's message may tell of the hash. */
function failureOf(error: unknown): ClientSpanFailure {
  return { type: exceptionTypeOf(error), message: 'The hash was not computed' };
}

/** Unicode NFKC, so that one password typed on two keyboards is one password (RFC 8265 §4). */
function normalize(password: string): string {
  return password.normalize('NFKC');
}

/** The words of an address that are long enough to be meant: `ada.lovelace@example.org` has `lovelace` and `example`. */
function partsOf(address: string): string[] {
  const [local = '', domain = ''] = address.split('@');
  // What stands behind the last dot belongs to nobody.
  const words = [...local.split(/[^a-z0-9]+/), ...domain.split('.').slice(0, -1)];
  return words.filter(({ length }) => length >= MIN_ADDRESS_PART);
}
