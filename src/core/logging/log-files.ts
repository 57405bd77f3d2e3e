import fs from 'node:fs';
import type { WriteBytes } from './counting-functions.ts';
import { FileDestination } from './file-destination.ts';
import { claimLogNames, type LogNames } from './log-names.ts';
import { RotatingFile } from './rotating-file.ts';

/** Bounds and hooks that only tests change. */
export interface FileTuning {
  /** The most one file may hold, in bytes, its last batch included. */
  readonly maxFileBytes: number;
  readonly retryMs: number;
  /** How often it is looked whether somebody removed the files. */
  readonly checkMs: number;
  readonly appQueueBytes: number;
  readonly errorQueueBytes: number;
  readonly write: WriteBytes;
}

export const FILE_TUNING: FileTuning = {
  maxFileBytes: 10_000_000,
  retryMs: 30_000,
  checkMs: 5_000,
  appQueueBytes: 32 * 1024 * 1024,
  errorQueueBytes: 16 * 1024 * 1024,
  write: fs.write,
};

const LARGEST_BATCH = 512 * 1024;

/** Told when the files can no longer be written (`Error`) and when they can again (`undefined`). */
export type OnHealth = (problem: Error | undefined) => void;

/**
 * `app.json` and `error.json` in one directory. When one of them fails both are degraded: the lines wait within their
 * bounds, and opening is tried again every `retryMs`.
 */
export class LogFiles {
  readonly app: FileDestination;
  readonly error: FileDestination;
  readonly #directory: string;
  readonly #tuning: FileTuning;
  readonly #onHealth: OnHealth;
  readonly #failing = new Set<FileDestination>();
  #names: LogNames | undefined;
  #retry: NodeJS.Timeout | undefined;
  #problem: Error | undefined;
  #ending = false;
  #reopened: Promise<void> | undefined;

  constructor(directory: string, tuning: FileTuning, onHealth: OnHealth) {
    this.#directory = directory;
    this.#tuning = tuning;
    this.#onHealth = onHealth;
    const destination = (maxQueueBytes: number): FileDestination => {
      const made: FileDestination = new FileDestination(maxQueueBytes, tuning.checkMs, {
        written: () => this.#healthy(made),
        gone: () => {
          if (!this.#ending) this.#reopened = this.#reopen();
        },
      });
      return made;
    };
    this.app = destination(tuning.appQueueBytes);
    this.error = destination(tuning.errorQueueBytes);
  }

  get degraded(): boolean {
    return this.#problem !== undefined;
  }

  /** Opens what is not open. Never throws: a failure is told by `onHealth` and tried again. */
  open(): void {
    this.#retry = undefined;
    try {
      this.#names ??= claimLogNames(this.#directory);
      this.#attach(this.app, `app${this.#names.suffix}`);
      this.#attach(this.error, `error${this.#names.suffix}`);
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  #attach(destination: FileDestination, name: string): void {
    if (destination.isOpen) return;
    const { maxFileBytes, write } = this.#tuning;
    const rotateAt = Math.max(1024, maxFileBytes - LARGEST_BATCH);
    const file = new RotatingFile(this.#directory, name, rotateAt, write, {
      opened: () => {
        if (destination.isIdle) this.#healthy(destination);
      },
      failed: (error) => {
        destination.detach();
        this.#failing.add(destination);
        this.#failed(error);
      },
    });
    destination.attach(file);
  }

  #failed(error: Error): void {
    if (!this.#ending) this.#retry ??= setTimeout(() => this.open(), this.#tuning.retryMs).unref();
    if (this.#problem !== undefined) return;
    this.#problem = error;
    this.#onHealth(error);
  }

  #healthy(destination: FileDestination): void {
    if (this.#problem === undefined) return;
    this.#failing.delete(destination);
    if (this.#failing.size > 0 || !this.app.isOpen || !this.error.isOpen) return;
    this.#problem = undefined;
    this.#onHealth(undefined);
  }

  /** The directory was emptied under us: claim names and open files as at the start, when the old ones are closed. */
  async #reopen(): Promise<void> {
    await Promise.all([this.app.detach()?.end(), this.error.detach()?.end()]);
    this.#names?.release();
    this.#names = undefined;
    this.open();
  }

  /** Resolves when every line is written and the files are closed. What cannot be written is dropped and counted. */
  async close(): Promise<void> {
    this.#ending = true;
    clearTimeout(this.#retry);
    await this.#reopened;
    this.open();
    await Promise.all(
      [this.app, this.error].map(async (destination) => {
        while (destination.isOpen && !destination.isIdle) await destination.drained();
        await destination.detach()?.end();
        destination.giveUp();
      }),
    );
    this.#names?.release();
    this.#names = undefined;
  }

  /** Does not wait for a disk that does not answer any longer; what it was to write counts as dropped. */
  giveUp(): void {
    this.app.giveUp();
    this.error.giveUp();
  }

  /** Writes what waits without the event loop: only while the process exits. */
  appendNow(): void {
    for (const destination of [this.app, this.error]) {
      try {
        destination.appendNow(this.#tuning.maxFileBytes);
      } catch {
        // The process is exiting and the disk does not take it: nobody is left to tell.
      }
    }
  }
}
