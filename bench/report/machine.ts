import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';

/** The machine in words: processor, cores, memory, system. */
export function describeMachine(): string {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown processor';
  const cores = os.cpus().length;
  const memory = Math.round(os.totalmem() / 1024 ** 3);
  return `${model}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${memory} GiB, ${systemName()}`;
}

function systemName(): string {
  const kernel = `${os.type()} ${os.release()} ${os.arch()}`;
  try {
    const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    return name === undefined ? kernel : `${name} (${kernel})`;
  } catch {
    return kernel;
  }
}

type Manifest = { version?: string; dependencies?: Record<string, string> };

const OF_OKAPI = /^(koa|@koa\/router|pg|winston|@opentelemetry\/sdk-node)$/;

/** The versions of Node, of what Okapi stands on and of the peers. */
export function versions(load: { name: string; version: string }): Record<string, string> {
  const root = join(import.meta.dirname, '..', '..');
  const own = manifest(join(root, 'package.json'));
  const peers = manifest(join(root, 'bench', 'peers', 'package.json')).dependencies ?? {};
  const watt = manifest(join(root, 'bench', 'peers', 'watt', 'package.json')).dependencies ?? {};
  const ours = Object.entries(own.dependencies ?? {}).filter(([name]) => OF_OKAPI.test(name));
  return {
    node: process.versions.node,
    [load.name]: load.version,
    okapi: own.version ?? 'unknown',
    ...watt,
    ...peers,
    ...Object.fromEntries(ours),
  };
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}
