import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import winston from 'winston';
import DailyRotateFile from 'winston-daily-rotate-file';
import { type CountingFunctions, countingFunctions, type WriteBytes } from './counting-functions.ts';
import { KEPT_PARTS, tidyParts } from './file-parts.ts';
import type { Batch } from './line-queue.ts';

/** Called once: without an error when the batch is with the kernel, else with how many of its bytes are. */
export type Written = (error: Error | undefined, bytes: number) => void;

type RotatorStream = NodeJS.WritableStream & { auditLog: { files: { date: number; name: string; hash: string }[] } };

const MESSAGE = Symbol.for('message');
const LEVEL = Symbol.for('level');
const passThrough = winston.format((info) => info);

/** What happens to a file besides its batches. After an error it is of no more use. */
export interface FileEvents {
  opened(): void;
  failed(error: Error): void;
}

/** By this the rotator knows that a file is one of its own, which it may remove. */
function auditHash(name: string, date: number): string {
  return createHash('sha256').update(`${name}LOG_FILE${date}`).digest('hex');
}

/**
 * One rotating log file, written by winston and winston-daily-rotate-file: by size only, the live part and five
 * backups, `<name>.json` a link to the live part. The transport says neither when a batch is written nor that it could
 * not be, so the functions that its stream writes with are ours. Takes one batch at a time.
 */
export class RotatingFile {
  readonly #link: string;
  readonly #logger: winston.Logger;
  readonly #stream: RotatorStream;
  readonly #events: FileEvents;
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
    const auditFile = join(directory, `.${name}-audit.json`);
    const parts = tidyParts(directory, name);
    fs.rmSync(auditFile, { force: true });
    const transport = new DailyRotateFile({
      dirname: directory,
      filename: `${name}-%DATE%`,
      extension: '.json',
      datePattern: '[part]',
      maxSize: maxBytes,
      maxFiles: KEPT_PARTS,
      createSymlink: true,
      symlinkName: `${name}.json`,
      auditFile,
      eol: '',
      options: { flags: 'a', mode: 0o640, fs: this.#watched(write) },
    });
    this.#stream = transport.logStream as RotatorStream;
    this.#adopt(parts);
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

  #adopt(parts: readonly string[]): void {
    const live = this.#stream.auditLog.files.filter(({ name }) => !parts.includes(name));
    const known = parts.map((name, index) => ({ date: index, name, hash: auditHash(name, index) }));
    const files = [...known, ...live];
    for (const surplus of files.splice(0, Math.max(0, files.length - KEPT_PARTS)))
      fs.rmSync(surplus.name, { force: true });
    this.#stream.auditLog.files = files;
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
