import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConsoleTarget } from '../../../src/core/logging/console-target.ts';
import { startLogging } from '../../../src/core/logging/hub.ts';
import type { LoggingOptions, LoggingTuning } from '../../../src/core/logging/options.ts';

/** A parsed line; tests look at whatever field they are about. */
export interface Line {
  [field: string]: unknown;
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly logger: string;
  readonly module: string;
  readonly function: string;
  readonly line: number;
  readonly extra: Record<string, unknown>;
  readonly exception: { type: string; message: string; stack: string; causes: { type: string; message: string }[] };
}

const directories: string[] = [];

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'okapi-logging-'));
  directories.push(directory);
  return directory;
}

export function removeTemporaryDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export const SERVICE = { name: 'okapi', version: '1.2.3', environment: 'test', instance: 'host-1' };

/** A console that remembers, and that can be stalled or gone. */
export class FakeConsole implements ConsoleTarget {
  text = '';
  mode: 'reading' | 'stalled' | 'gone' = 'reading';
  isIdle = true;

  write(bytes: Buffer): number {
    if (this.mode === 'gone') throw new Error('EPIPE');
    if (this.mode === 'stalled') return 0;
    this.text += bytes.toString();
    return bytes.length;
  }

  get lines(): Line[] {
    return parseLines(this.text);
  }
}

export function parseLines(text: string): Line[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('The last line has no newline');
  return lines.map((line) => JSON.parse(line) as Line);
}

export function linesOf(directory: string, file: string): Line[] {
  return parseLines(readFileSync(join(directory, file), 'utf8'));
}

interface Started {
  readonly directory: string;
  readonly console: FakeConsole;
}

/** Starts logging into a fresh directory and a console in memory. */
export function start(options: Partial<LoggingOptions> = {}, tuning: Partial<LoggingTuning> = {}): Started {
  const directory = options.dir ?? temporaryDirectory();
  const fake = new FakeConsole();
  const defaults: LoggingOptions = {
    level: 'DEBUG',
    dir: directory,
    files: true,
    consoleFormat: 'json',
    colors: false,
    service: SERVICE,
  };
  startLogging({ ...defaults, ...options }, { console: fake, ...tuning });
  return { directory, console: fake };
}
