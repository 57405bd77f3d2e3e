import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Binary } from 'bson';
import { CommandError } from './command-error.ts';
import { type Fields, isFields } from './documents.ts';

export const USER = 'okapi';
export const MECHANISM = 'SCRAM-SHA-256';

/** The least that RFC 7677 §4 allows: the password is 32 random bytes, which iterations do not make any stronger. */
const ITERATIONS = 4096;

/** What the server keeps of the password. */
export interface Credentials {
  salt: string;
  storedKey: Buffer;
  serverKey: Buffer;
}

export function deriveCredentials(password: string): Credentials {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  return {
    salt: salt.toString('base64'),
    storedKey: createHash('sha256').update(hmac(salted, 'Client Key')).digest(),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/** SCRAM-SHA-256 (RFC 5802, RFC 7677) for one connection, as MongoDB wraps it in commands. */
export class Authentication {
  readonly #credentials: Credentials;
  #conversation: { id: number; nonce: string; message: string; skipEmpty: boolean; proven: boolean } | undefined;
  #lastId = 0;
  isDone = false;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** @throws CommandError `AuthenticationFailed`, `MechanismUnavailable` */
  start({ mechanism, payload, options }: Fields): Fields {
    this.#conversation = undefined;
    if (mechanism !== MECHANISM) throw new CommandError('MechanismUnavailable', `only ${MECHANISM} is supported`);
    const [, first = '', user, clientNonce] = /^[ny],,(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+))$/.exec(text(payload)) ?? [];
    if (user !== USER) throw failed();
    const nonce = `${clientNonce}${randomBytes(24).toString('base64')}`;
    const reply = `r=${nonce},s=${this.#credentials.salt},i=${ITERATIONS}`;
    const id = ++this.#lastId;
    const skipEmpty = isFields(options) && options['skipEmptyExchange'] === true;
    this.#conversation = { id, nonce, message: `${first},${reply}`, skipEmpty, proven: false };
    return { conversationId: id, done: false, payload: binary(reply) };
  }

  /** @throws CommandError `AuthenticationFailed` */
  continue({ conversationId, payload }: Fields): Fields {
    const conversation = this.#conversation;
    this.#conversation = undefined;
    if (!conversation || conversationId !== conversation.id) throw failed();
    const { id, nonce, message, skipEmpty, proven } = conversation;
    if (proven) {
      if (text(payload) !== '') throw failed();
      this.isDone = true;
      return { conversationId: id, done: true, payload: binary('') };
    }
    const [, withoutProof = '', given, proof = ''] =
      /^(c=(?:biws|eSws),r=([^,]*)),p=([^,]*)$/.exec(text(payload)) ?? [];
    if (given !== nonce || !this.#isProof(`${message},${withoutProof}`, Buffer.from(proof, 'base64'))) throw failed();
    const signature = hmac(this.#credentials.serverKey, `${message},${withoutProof}`).toString('base64');
    this.isDone = skipEmpty;
    if (!skipEmpty) this.#conversation = { ...conversation, proven: true };
    return { conversationId: id, done: skipEmpty, payload: binary(`v=${signature}`) };
  }

  #isProof(message: string, proof: Buffer): boolean {
    const signature = hmac(this.#credentials.storedKey, message);
    if (proof.length !== signature.length) return false;
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (signature[at] ?? 0)));
    return timingSafeEqual(createHash('sha256').update(clientKey).digest(), this.#credentials.storedKey);
  }
}

function failed(): CommandError {
  return new CommandError('AuthenticationFailed', 'Authentication failed.');
}

function hmac(key: Buffer, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

function text(payload: unknown): string {
  if (payload instanceof Binary) return Buffer.from(payload.value()).toString('utf8');
  return typeof payload === 'string' ? Buffer.from(payload, 'base64').toString('utf8') : '';
}

function binary(message: string): Binary {
  return new Binary(Buffer.from(message, 'utf8'));
}
