import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

export type Collector = {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it, `SIGKILL` included; resolves once it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Holds it up, so that it takes connections and answers none; `SIGCONT` lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Different span ids in its file. */
  spans(): Promise<number>;
};

/** A real OpenTelemetry Collector that writes what it has taken into a file before it says so. */
export async function prepareCollector(program: string, folder: string): Promise<Collector> {
  const [port, healthPort] = [await freePort(), await freePort()];
  const file = join(folder, 'spans.jsonl');
  const config = join(folder, 'collector.yaml');
  // With rotation the exporter writes without a buffer of its own, so that a kill takes nothing that it has acknowledged.
  writeFileSync(
    config,
    `receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:${port}' } } } }
exporters: { file: { path: '${file}', rotation: { max_megabytes: 10000 } } }
extensions: { health_check: { endpoint: '127.0.0.1:${healthPort}' } }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none }, logs: { level: error } }
  pipelines:
    traces: { receivers: [otlp], exporters: [file] }
`,
  );
  let child: ChildProcess | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    async start() {
      child = spawn(program, [`--config=${config}`], { stdio: ['ignore', 'ignore', 'inherit'] });
      await eventually(async () => (await fetch(`http://127.0.0.1:${healthPort}/`)).ok);
    },
    async end(signal) {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
    signal: (signal) => void child?.kill(signal),
    async spans() {
      const ids = new Set<string>();
      if (!existsSync(file)) return 0;
      for await (const line of createInterface({ input: createReadStream(file) })) {
        for (const [, id] of line.matchAll(/"spanId":"([0-9a-f]{16})"/g)) ids.add(id as string);
      }
      return ids.size;
    },
  };
}
