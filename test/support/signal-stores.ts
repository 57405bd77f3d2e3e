import { processesOf } from './processes.ts';

/** Sends a signal to every process of the PostgreSQL whose data lies in a folder, and not to the shell that watches it. */
export function signalPostgres(folder: string, signal: NodeJS.Signals): void {
  send(folder, /^(postgres: |\S*\/postgres -D )/, signal);
}

/** Sends a signal to the embedded Mongo-protocol server whose data lies in a folder. */
export function signalMongo(folder: string, signal: NodeJS.Signals): void {
  send(folder, /--file \S+\.sqlite/, signal);
}

function send(folder: string, what: RegExp, signal: NodeJS.Signals): void {
  const found = processesOf(folder).filter(({ command }) => what.test(command));
  if (found.length === 0) throw new Error(`No process of ${folder} is ${what}`);
  for (const { pid } of found) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // One that served a connection may have ended since it was seen.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
