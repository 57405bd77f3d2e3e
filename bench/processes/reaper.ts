import { spawn } from 'node:child_process';

/** Ends what is left of a benchmark that did not come to do it itself, `kill -9` included. */
export type Reaper = {
  watch(pid: number): void;
  forget(pid: number): void;
  /** Lets it go, once everything has been ended in order; the folder is removed. */
  release(): void;
};

// Each line is the whole list of processes; when the pipe closes, the last list is what is left.
const SCRIPT = `
while read -r line; do pids=$line; done
[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
for i in 1 2 3 4 5 6 7 8; do rm -rf "$1" 2>/dev/null && break; sleep 0.5; done
rmdir "$(dirname "$1")" 2>/dev/null
`;

/** Starts a process that waits for its stdin, which is ours, to close; then ends the watched ones and removes `folder`. */
export function startReaper(folder: string): Reaper {
  const child = spawn('sh', ['-c', SCRIPT, 'sh', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  child.stdin.on('error', () => undefined);
  const pids = new Set<number>();
  const tell = () => child.stdin.write(`${[...pids].join(' ')}\n`);
  return {
    watch(pid) {
      pids.add(pid);
      tell();
    },
    forget(pid) {
      pids.delete(pid);
      tell();
    },
    release: () => child.stdin.end(),
  };
}
