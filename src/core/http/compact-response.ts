import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';

type Value = number | string | string[];

/** Places for fourteen headers, which is what an answer of ours has; for more the list grows. */
const USUAL_LENGTH = 28;

/** The bit by which a small letter of ASCII, of which names are, differs from a capital. */
const SMALL = 32;

/** What `_header` is once the head is sent and let go of: Node asks whether there is one. */
const SENT = 'sent';

/** What Node calls to make the text of a head from its first line and a list of headers. */
type StoreHeader = (this: ServerResponse, firstLine: string, headers: unknown) => void;

const { _storeHeader: storeHeader } = ServerResponse.prototype as unknown as { _storeHeader: StoreHeader };

/** The first value that each name was allowed with: most headers are the same on every answer. */
const allowed = new Map<string, Value>();
const MOST_ALLOWED = 200;

/**
 * Node's response with its headers in one short list. Node keeps them as pairs in a dictionary, which takes 2 KB to build
 * and is held for as long as a request waits. All else is Node's: names are the same in any case, one that is set again
 * keeps its place, and what HTTP does not allow throws where it is set. Only those headers by which Node decides how to
 * send the body come after the others.
 */
export class CompactResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** Name, value, name, value, in the order in which they were set. */
  readonly #list: Value[] = new Array(USUAL_LENGTH);
  #length = 0;
  /** Whether each header is one line as it stands: an array may be several, and a Content-Disposition Node changes first. */
  #isPlain = true;

  override setHeader(name: string, value: number | string | readonly string[]): this {
    if (this.headersSent) return super.setHeader(name, value);
    assertAllowed(name, value as Value);
    const at = this.#find(name);
    this.#put(at === -1 ? this.#length : at, name, value as Value);
    return this;
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    if (this.headersSent) return super.appendHeader(name, value);
    validateHeaderName(name);
    const at = this.#find(name);
    if (at === -1) return this.setHeader(name, value);
    validateHeaderValue(name, value as string);
    this.#put(at, this.#list[at] as string, [this.#list[at + 1], value].flat() as string[]);
    return this;
  }

  override getHeader(name: string): Value | undefined {
    const at = this.#find(name);
    return at === -1 ? undefined : this.#list[at + 1];
  }

  override hasHeader(name: string): boolean {
    return this.#find(name) !== -1;
  }

  override removeHeader(name: string): void {
    super.removeHeader(name);
    const at = this.#find(name);
    if (at === -1) return;
    this.#list.copyWithin(at, at + 2, this.#length);
    this.#length -= 2;
  }

  override getHeaderNames(): string[] {
    return this.getRawHeaderNames().map((name) => name.toLowerCase());
  }

  getRawHeaderNames(): string[] {
    return this.#list.slice(0, this.#length).filter((_each, at) => at % 2 === 0) as string[];
  }

  override getHeaders(): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = Object.create(null);
    for (let at = 0; at < this.#length; at += 2) headers[String(this.#list[at]).toLowerCase()] = this.#list[at + 1];
    return headers;
  }

  override writeHead(
    status: number,
    reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
    given?: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ): this {
    const more = typeof reason === 'string' ? given : (given ?? reason);
    const isOdd = Array.isArray(more) && more.length % 2 !== 0;
    if (this.#length === 0 || this.headersSent || isOdd) return super.writeHead(status, reason as string, given);
    if (more) this.#merge(more);
    this.#list.length = this.#length;
    if (!this.#isPlain) this.#handOver();
    const list = this.#isPlain ? (this.#list as OutgoingHttpHeader[]) : undefined;
    return typeof reason === 'string' ? super.writeHead(status, reason, list) : super.writeHead(status, list);
  }

  /** Called by Node. It would look at each name and value once more, though that was done where they were set. */
  _storeHeader(firstLine: string, headers: unknown): void {
    if (headers !== this.#list) {
      storeHeader.call(this, firstLine, headers);
      return;
    }
    let text = firstLine;
    const ofNode: Value[] = [];
    for (let at = 0; at < this.#length; at += 2) {
      const name = this.#list[at] as string;
      const value = this.#list[at + 1] as Value;
      if (decidesSending(name)) ofNode.push(name, value);
      else text += `${name}: ${value}\r\n`;
    }
    storeHeader.call(this, text, ofNode);
  }

  /** Lets go of the text of the head, once it is sent: nobody reads it any more, and this is held for a while longer. */
  releaseHead(): void {
    if (this.headersSent) (this as unknown as { _header: string })._header = SENT;
  }

  /** Puts the headers where Node keeps them. */
  #handOver(): void {
    for (let at = 0; at < this.#length; at += 2)
      super.setHeader(this.#list[at] as string, this.#list[at + 1] as string);
  }

  /** As Node does it: what is given takes the place of what was set; in a list, a name may come more than once. */
  #merge(given: OutgoingHttpHeaders | OutgoingHttpHeader[]): void {
    if (!Array.isArray(given)) {
      for (const [name, value] of Object.entries(given)) if (name !== '') this.setHeader(name, value as Value);
      return;
    }
    for (let at = 0; at < given.length; at += 2) this.removeHeader(given[at] as string);
    for (let at = 0; at < given.length; at += 2) {
      if (given[at]) this.appendHeader(given[at] as string, given[at + 1] as string);
    }
  }

  #put(at: number, name: string, value: Value): void {
    this.#list[at] = name;
    this.#list[at + 1] = value;
    if (at === this.#length) this.#length += 2;
    if (Array.isArray(value) || isSame(name, 'content-disposition')) this.#isPlain = false;
  }

  /** Where the name stands, or -1. */
  #find(name: string): number {
    for (let at = 0; at < this.#length; at += 2) if (isSame(this.#list[at] as string, name)) return at;
    return -1;
  }
}

/** Throws as `setHeader` does. */
function assertAllowed(name: string, value: Value): void {
  const known = allowed.get(name);
  if (known !== undefined && known === value) return;
  if (known === undefined) validateHeaderName(name);
  validateHeaderValue(name, value as string);
  if (known === undefined && allowed.size < MOST_ALLOWED && !Array.isArray(value)) allowed.set(name, value);
}

/** Whether Node asks for this header when it sends a body. */
function decidesSending(name: string): boolean {
  switch (name.length) {
    case 4:
      return isSame(name, 'Date');
    case 6:
      return isSame(name, 'Expect');
    case 7:
      return isSame(name, 'Trailer');
    case 10:
      return isSame(name, 'Connection') || isSame(name, 'Keep-Alive');
    case 14:
      return isSame(name, 'Content-Length');
    case 17:
      return isSame(name, 'Transfer-Encoding');
    default:
      return false;
  }
}

function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  if (one.length !== other.length || (one.charCodeAt(0) | SMALL) !== (other.charCodeAt(0) | SMALL)) return false;
  return one.toLowerCase() === other.toLowerCase();
}
