import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';

const maps = new Map<string, SourceMap | undefined>();

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) {
    let map: SourceMap | undefined;
    try {
      map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
    } catch {
      map = undefined;
    }
    maps.set(file, map);
  }
  return maps.get(file);
}

/**
 * Where a position of compiled output stands in its source, by the `.map` file beside it; the position itself when
 * there is none. Reads each map once. Line and column count from 1.
 */
export function sourcePosition(file: string, line: number, column: number): { file: string; line: number } {
  if (!file.endsWith('.js')) return { file, line };
  const origin = mapOf(file)?.findOrigin(line, column);
  if (origin === undefined || !('fileName' in origin) || typeof origin.fileName !== 'string') return { file, line };
  return { file: resolve(dirname(file), origin.fileName), line: origin.lineNumber };
}
