import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** How a process ended: an exit code, or the signal that ended it. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface WatchedOptions {
  /** The program; an absolute path, or a name looked up in `env.PATH`. */
  command: string;
  args: readonly string[];
  /**
   * Who watches the pipe on stdin.
   * - `own`: the program itself must end when its stdin ends (`process.stdin.resume().once('end', …)`).
   * - `shell`: for a program that does not look at its stdin (it gets `/dev/null`) but handles SIGINT. A shell beside
   *   it watches, sends it SIGINT when the pipe ends, and SIGKILL to the whole group after `graceMs`.
   */
  watchdog: 'own' | 'shell';
  /** How long the program may take to end by itself once the pipe is closed; 0 kills at once. In milliseconds. */
  graceMs: number;
  cwd?: string;
  /** The whole environment of the child; nothing is inherited. */
  env: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** Called with each line of stdout, which is discarded otherwise: a program can say here that it is ready. */
  onStdoutLine?(line: string): void;
}

export interface WatchedProcess {
  /** Of the program, or of the shell that watches it; always the id of the process group. */
  readonly pid: number;
  /** Settles, never rejects, when the process has ended for whatever reason. */
  readonly exited: Promise<ProcessEnd>;
  /** Closes the pipe and waits for the end; kills the group a second after `graceMs`. Safe to call again, or late. */
  stop(): Promise<void>;
  /** The last lines of stderr, oldest first (at most 20 of 500 characters), for an error message. */
  stderrTail(): string[];
}

const TAIL_LINES = 20;
const TAIL_WIDTH = 500;
const SIGNAL_EVERY_MS = 200;

/**
 * `$1` is the number of times SIGINT is sent, the rest is the command. The signal is repeated because a program that
 * has just been started still ignores it (POSIX starts background jobs so). `wait` is in the foreground and the watch
 * in the background, so the shell also ends when the program ends by itself.
 */
const SHELL_WATCHDOG = `
rounds=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- & program=$!
(
  while read -r _; do :; done <&3
  while [ "$rounds" -gt 0 ]; do
    kill -INT "$program" || exit
    sleep 0.2
    rounds=$((rounds - 1))
  done
  kill -KILL 0
) >/dev/null 2>&1 & watch=$!
exec 3<&-
wait "$program"; code=$?
kill "$watch" 2>/dev/null
exit "$code"
`;

/**
 * Starts a child that cannot outlive this process: its stdin is a pipe that the kernel closes when this process ends in
 * any way, `kill -9` included, and the child, or the shell beside it, ends when that happens. It runs in a process
 * group and session of its own, so a terminal's Ctrl-C does not reach it.
 * @throws the spawn error (ENOENT, EACCES, …) when the program cannot be started.
 */
export async function startWatched(options: WatchedOptions): Promise<WatchedProcess> {
  const child = spawnDetached(options);
  const tail: string[] = [];
  const exited = untilEnd(child);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.command} was started without a process id`);
  const closePipe = () => child.stdin?.destroy();
  // Should only the shell be killed, its watching half is still there and ends the program.
  void exited.then(closePipe);
  child.stdin?.on('error', closePipe);
  eachLine(child.stderr, (line) => {
    tail.push(line.slice(0, TAIL_WIDTH));
    if (tail.length > TAIL_LINES) tail.shift();
  });
  eachLine(child.stdout, (line) => options.onStdoutLine?.(line));

  const end = async () => {
    closePipe();
    const timer = new AbortController();
    const late = delay(options.graceMs + 1_000, 'late', { signal: timer.signal }).catch(() => 'ended');
    if ((await Promise.race([exited, late])) === 'late') killGroup(pid);
    timer.abort();
    await exited;
  };
  let ending: Promise<void> | undefined;
  const stop = () => {
    ending ??= end();
    return ending;
  };
  return { pid, exited, stop, stderrTail: () => [...tail] };
}

function spawnDetached(options: WatchedOptions): ChildProcess {
  const { command, args, watchdog, graceMs, cwd, env, uid, gid, onStdoutLine } = options;
  const rounds = String(Math.ceil(graceMs / SIGNAL_EVERY_MS));
  const [file, argv] =
    watchdog === 'own' ? [command, args] : ['/bin/sh', ['-c', SHELL_WATCHDOG, 'sh', rounds, command, ...args]];
  return spawn(file, argv, {
    detached: true,
    stdio: ['pipe', onStdoutLine ? 'pipe' : 'ignore', 'pipe'],
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
}

/** `exit` and not only `close`: a grandchild that holds stderr open must not keep the end from being seen. */
function untilEnd(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const patience = setTimeout(() => resolve({ code, signal }), 300);
      child.once('close', () => {
        clearTimeout(patience);
        resolve({ code, signal });
      });
    });
  });
}

function eachLine(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', take);
}

/** Ends what is left of a group; that nothing is left is no error. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
