import {
  closeSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';

/** Files kept of one log: the live one and five backups. */
export const KEPT_PARTS = 6;

/** The real name behind the link: `app.json` points at `app-part.json`, then `app-part.1.json` and so on. */
export function partName(name: string, number: number): string {
  return number === 0 ? `${name}-part.json` : `${name}-part.${number}.json`;
}

/** Cuts off a line that a killed process or a full disk left unfinished, so that the next one starts on its own. */
function dropTornLine(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, 65_536));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const end = tail.lastIndexOf(0x0a) + 1;
    if (end < tail.length) ftruncateSync(fd, size - tail.length + end);
  } finally {
    closeSync(fd);
  }
}

/**
 * Brings the parts of one log into order before it is opened: oldest first numbered from 0 without a gap, no more than
 * are kept, the newest ending in a whole line. The rotator would keep account of them in a file that is lost with a crash
 * or a moved directory, and takes the path in it for a regular expression. Returns their paths, oldest first.
 */
export function tidyParts(directory: string, name: string): string[] {
  const link = join(directory, `${name}.json`);
  if (lstatSync(link, { throwIfNoEntry: false })?.isFile()) renameSync(link, `${link}.old`);
  const numbers = readdirSync(directory)
    .map((file) => numberOf(file, name))
    .filter((number) => number >= 0)
    .sort((a, b) => a - b);
  const surplus = numbers.splice(0, Math.max(0, numbers.length - KEPT_PARTS));
  for (const number of surplus) rmSync(join(directory, partName(name, number)), { force: true });
  const paths = numbers.map((number, index) => {
    const path = join(directory, partName(name, index));
    if (number !== index) renameSync(join(directory, partName(name, number)), path);
    return path;
  });
  const newest = paths.at(-1);
  if (newest !== undefined) dropTornLine(newest);
  return paths;
}

function numberOf(file: string, name: string): number {
  if (file === partName(name, 0)) return 0;
  const start = `${name}-part.`;
  if (!file.startsWith(start) || !file.endsWith('.json')) return -1;
  const digits = file.slice(start.length, -'.json'.length);
  return /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : -1;
}
