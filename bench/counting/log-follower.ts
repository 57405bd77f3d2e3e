import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Of an access line, and of nothing else: what a client sends cannot contain it, since its quotes are escaped. */
const ACCESS_LINE = Buffer.from('"logger":"app.http.access"');
const LOG_FILE = /^app[^/]*\.json[^/]*$/;
const CHUNK_BYTES = 1024 * 1024;
const EVERY_MS = 100;

type Followed = { fd: number; offset: number; rest: Buffer };

/**
 * Counts the access lines in the rotating files of a directory. Files are told apart by their inode and kept open until
 * they are removed and read to the end, so neither renaming nor removal loses a line.
 */
export class LogFollower {
  readonly #directory: string;
  readonly #files = new Map<bigint, Followed>();
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #timer: NodeJS.Timeout;
  #lines = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.#timer = setInterval(() => this.read(), EVERY_MS).unref();
  }

  /** Reads what is new; returns the access lines so far. */
  read(): number {
    this.#discover();
    for (const [inode, file] of this.#files) {
      // Looked at before reading: a file that was removed by now does not grow after it is read to its end.
      const isRemoved = fstatSync(file.fd).nlink === 0;
      this.#readOn(file);
      if (!isRemoved) continue;
      closeSync(file.fd);
      this.#files.delete(inode);
    }
    return this.#lines;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #discover(): void {
    for (const name of filesIn(this.#directory)) {
      if (!LOG_FILE.test(name)) continue;
      const fd = tryOpen(join(this.#directory, name));
      if (fd === undefined) continue;
      const { ino } = fstatSync(fd, { bigint: true });
      if (this.#files.has(ino)) closeSync(fd);
      else this.#files.set(ino, { fd, offset: 0, rest: Buffer.alloc(0) });
    }
  }

  #readOn(file: Followed): void {
    for (;;) {
      const bytes = readSync(file.fd, this.#chunk, 0, CHUNK_BYTES, file.offset);
      if (bytes === 0) return;
      file.offset += bytes;
      const read = this.#chunk.subarray(0, bytes);
      const end = read.lastIndexOf(0x0a) + 1;
      if (end === 0) {
        file.rest = Buffer.concat([file.rest, read]);
        continue;
      }
      const firstEnd = read.indexOf(0x0a) + 1;
      this.#lines += countOf(Buffer.concat([file.rest, read.subarray(0, firstEnd)]));
      this.#lines += countOf(read.subarray(firstEnd, end));
      file.rest = Buffer.from(read.subarray(end));
    }
  }
}

function countOf(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(ACCESS_LINE); at >= 0; at = text.indexOf(ACCESS_LINE, at + ACCESS_LINE.length)) count++;
  return count;
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
