import fs from 'node:fs';

/** How bytes reach a descriptor; `fs.write` but for tests of a failing disk. */
export type WriteBytes = typeof fs.write;

/** The functions that a file's write stream calls. */
export type CountingFunctions = Pick<typeof fs, 'open' | 'write' | 'close'>;

/** What happens to the descriptor behind the stream. */
export interface DescriptorEvents {
  opened(fd: number): void;
  /** The first bytes were handed to the kernel. */
  begun(): void;
  /** So many more bytes are with the kernel. */
  written(bytes: number): void;
}

type OpenCallback = (error: Error | null, fd: number) => void;
type WriteCallback = (error: Error | null, written: number, buffer: Buffer) => void;

/** `fs` for `createWriteStream`, which tells what became of every write; the stream itself only tells its caller. */
export function countingFunctions(write: WriteBytes, events: DescriptorEvents): CountingFunctions {
  const open = (path: string, flags: string, mode: number, done: OpenCallback): void => {
    fs.open(path, flags, mode, (error, fd) => {
      done(error, fd);
      if (error === null) events.opened(fd);
    });
  };
  const counted = (fd: number, bytes: Buffer, at: number, length: number, _at: unknown, done: WriteCallback): void => {
    events.begun();
    write(fd, bytes, at, length, null, (error, written, buffer) => {
      done(error, written, buffer);
      if (error === null) events.written(written);
    });
  };
  return { open, write: counted, close: fs.close } as unknown as CountingFunctions;
}
