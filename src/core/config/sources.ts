import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { SettingDefinition } from './definition.ts';

/** Where a value came from, as `npm run config` shows it. */
export type Origin = 'default' | '.env' | 'environment' | 'file';

/** A text as found, before it is parsed; `problem` when it could not be had. */
export type Found = { text: string; origin: Origin } | { problem: string };

export type Variables = Readonly<Record<string, string | undefined>>;

/** The variables of a `.env` file; none when there is no such file. Throws when it is there and cannot be read. */
export function readEnvFile(path: string): Variables {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

const MAX_SECRET_FILE_BYTES = 64 * 1024;

function readSecretFile(variable: string, path: string): Found {
  try {
    const content = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (content === '') return { problem: `${variable} names a file that is empty: ${JSON.stringify(path)}` };
    if (content.length > MAX_SECRET_FILE_BYTES) return { problem: `${variable} names a file of over 64 KiB` };
    return { text: content, origin: 'file' };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { problem: `${variable} names a file that cannot be read (${code}): ${JSON.stringify(path)}` };
  }
}

/**
 * Finds the text of one setting: the environment wins over `.env`; within one of them a secret stands either under its
 * name or in the file that `<name>_FILE` names. An empty variable counts as not given.
 */
export function findText(definition: SettingDefinition, environment: Variables, envFile: Variables): Found | undefined {
  const sources: [Variables, Origin][] = [
    [environment, 'environment'],
    [envFile, '.env'],
  ];
  for (const [variables, origin] of sources) {
    const text = variables[definition.env] || undefined;
    const fileVariable = `${definition.env}_FILE`;
    const path = definition.secret ? variables[fileVariable] || undefined : undefined;
    if (text !== undefined && path !== undefined) {
      return { problem: `${definition.env} and ${fileVariable} are both given: keep one of them` };
    }
    if (text !== undefined) return { text, origin };
    if (path !== undefined) return readSecretFile(fileVariable, path);
  }
  return undefined;
}
