import fs from 'node:fs';

const STDERR = 2;
const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = fs.constants;

/** Where console lines go. Writing never waits for the reader. */
export interface ConsoleTarget {
  /** How many of the bytes were taken; 0 when the reader is behind. Throws when the reader is gone. */
  write(bytes: Buffer): number;
  /** Whether all that was taken has left the process. */
  readonly isIdle: boolean;
}

/** Writes at once to a descriptor that does not block. */
function descriptorTarget(fd: number): ConsoleTarget {
  return {
    isIdle: true,
    write(bytes) {
      try {
        return fs.writeSync(fd, bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
        throw error;
      }
    },
  };
}

/** Writes through `process.stderr`, and only when all before has left it: on its own it queues without a limit. */
function streamTarget(stream: NodeJS.WriteStream): ConsoleTarget {
  stream.on('error', () => undefined);
  return {
    get isIdle() {
      return stream.destroyed || stream.writableLength === 0;
    },
    write(bytes) {
      if (stream.destroyed) throw new Error('stderr is closed');
      if (stream.writableLength > 0) return 0;
      stream.write(bytes);
      return bytes.length;
    },
  };
}

function openTarget(): ConsoleTarget {
  const stats = fs.fstatSync(STDERR);
  if (stats.isFile()) return descriptorTarget(STDERR);
  if (process.platform === 'linux' && (stats.isFIFO() || stats.isCharacterDevice())) {
    try {
      return descriptorTarget(fs.openSync('/proc/self/fd/2', O_WRONLY | O_NONBLOCK | O_NOCTTY));
    } catch {
      // No /proc, or not ours to open.
    }
  }
  return streamTarget(process.stderr);
}

let target: ConsoleTarget | undefined;

/**
 * Standard error, without ever blocking on it. A pipe or a terminal is opened a second time with `O_NONBLOCK`, because
 * setting that on descriptor 2 itself would set it for every process that shares it. Where this cannot be done (a
 * socket, macOS, a pipe of another user) `process.stderr` serves. A plain file never keeps anyone waiting.
 */
export function stderrTarget(): ConsoleTarget {
  target ??= openTarget();
  return target;
}
