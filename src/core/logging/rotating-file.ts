import fs from 'node:fs';
import { join } from 'node:path';
import winston from 'winston';
import DailyRotateFile from 'winston-daily-rotate-file';
import { type CountingFunctions, countingFunctions, type WriteBytes } from './counting-functions.ts';
import { KEPT_PARTS, tidyParts } from './file-parts.ts';
import type { Batch } from './line-queue.ts';

/** Called once: without an error when the batch is with the kernel, else with how many of its bytes are. */
export type Written = (error: Error | undefined, bytes: number) => void;

const MESSAGE = Symbol.for('message');
const LEVEL = Symbol.for('level');
const passThrough = winston.format((info) => info);

/** What happens to a file besides its batches. After an error it is of no more use. */
export interface FileEvents {
  opened(): void;
  failed(error: Error): void;
}

/**
 * Removes a part that is no longer kept. The rotator would hold the event loop for it, a millisecond for 10 MB: here the
 * name goes at once, and the bytes on another thread, where the last descriptor is closed.
 */
function remove(part: string): void {
  try {
    const fd = fs.openSync(part, 'r');
    try {
      fs.unlinkSync(part);
    } finally {
      fs.close(fd, () => undefined);
    }
  } catch {
    // Somebody removed it, or the folder is not ours any more, which is told when the next part is opened.
  }
}

/**
 * One rotating log file, written by winston and winston-daily-rotate-file: by size only, the live part and five
 * backups, `<name>.json` a link to the live part. The transport says neither when a batch is written nor that it could
 * not be, so the functions that its stream writes with are ours. Takes one batch at a time.
 */
export class RotatingFile {
  readonly #link: string;
  readonly #logger: winston.Logger;
  readonly #stream: NodeJS.WritableStream;
  readonly #events: FileEvents;
  /** Paths, oldest first, the live one last. */
  readonly #parts: string[];
  #fd: number | undefined;
  #batch: Batch | undefined;
  #written: Written | undefined;
  #bytes = 0;
  #begun = false;
  #failed = false;

  /** Opens the file. `maxBytes` is never exceeded by more than a batch. Throws when the directory cannot be used. */
  constructor(directory: string, name: string, maxBytes: number, write: WriteBytes, events: FileEvents) {
    this.#link = join(directory, `${name}.json`);
    this.#events = events;
    this.#parts = tidyParts(directory, name);
    const transport = new DailyRotateFile({
      dirname: directory,
      filename: `${name}-%DATE%`,
      extension: '.json',
      datePattern: '[part]',
      maxSize: maxBytes,
      createSymlink: true,
      symlinkName: `${name}.json`,
      // Never written, since it removes nothing; without a name, all the options are hashed to make one.
      auditFile: join(directory, `.${name}-audit.json`),
      eol: '',
      options: { flags: 'a', mode: 0o640, fs: this.#watched(write) },
    });
    this.#stream = transport.logStream;
    this.#stream.on('new', (path: string) => this.#begin(path));
    const fail = (error: Error): void => this.#fail(error);
    this.#stream.on('error', fail);
    transport.on('error', fail);
    // As the transport's own, which would make text of the bytes and throw where the folder is gone.
    transport.log = (info, next) => {
      try {
        this.#stream.write(info[MESSAGE]);
      } catch (error) {
        fail(error as Error);
      }
      next();
    };
    this.#logger = winston.createLogger({ format: passThrough(), transports: [transport] });
    this.#logger.on('error', fail);
  }

  write(batch: Batch, written: Written): void {
    this.#batch = batch;
    this.#written = written;
    this.#bytes = 0;
    this.#begun = false;
    this.#logger.write({ level: 'info', message: '', [LEVEL]: 'info', [MESSAGE]: batch.bytes });
  }

  /** Whether the file that is written to is no longer the one that its name opens: somebody removed it. */
  async isGone(): Promise<boolean> {
    if (this.#fd === undefined) return false;
    const [named, open] = await Promise.all([
      fs.promises.stat(this.#link).catch(() => undefined),
      new Promise<fs.Stats | undefined>((resolve) => fs.fstat(this.#fd ?? -1, (_error, stats) => resolve(stats))),
    ]);
    return named === undefined || (open !== undefined && named.ino !== open.ino);
  }

  /** Resolves when the descriptor is closed. A batch under way is written first. */
  async end(): Promise<void> {
    if (this.#failed) return;
    const closed = new Promise<void>((resolve) => {
      this.#stream.once('close', resolve);
      this.#stream.once('error', () => resolve());
    });
    this.#logger.once('finish', () => this.#stream.end());
    this.#logger.end();
    await closed;
  }

  /** Writes at once what the event loop will no longer write: at `process.exit()`. Keeps to `maxBytes`. */
  appendNow(batches: readonly Batch[], maxBytes: number): void {
    const fd = fs.openSync(this.#link, 'a');
    let { size } = fs.fstatSync(fd);
    for (const batch of this.#batch === undefined || this.#begun ? batches : [this.#batch, ...batches]) {
      size += batch.bytes.length;
      if (size <= maxBytes) fs.writeSync(fd, batch.bytes);
    }
    fs.closeSync(fd);
  }

  #begin(path: string): void {
    if (this.#parts.at(-1) === path) return;
    this.#parts.push(path);
    for (const part of this.#parts.splice(0, Math.max(0, this.#parts.length - KEPT_PARTS))) remove(part);
  }

  #watched(write: WriteBytes): CountingFunctions {
    return countingFunctions(write, {
      opened: (fd) => {
        this.#fd = fd;
        this.#events.opened();
      },
      begun: () => {
        this.#begun = true;
      },
      written: (bytes) => this.#count(bytes),
    });
  }

  #count(written: number): void {
    this.#bytes += written;
    if (this.#batch !== undefined && this.#bytes >= this.#batch.bytes.length) this.#settle(undefined);
  }

  #settle(error: Error | undefined): void {
    const written = this.#written;
    this.#batch = undefined;
    this.#written = undefined;
    written?.(error, this.#bytes);
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#logger.close();
    this.#settle(error);
    this.#events.failed(error);
  }
}
