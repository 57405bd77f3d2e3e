/**
 * How V8 collects garbage in the service (docs/decisions/garbage-collection.md):
 * - what is young has 16 MiB, so that a collection is short also while a thousand requests wait;
 * - which the thread that waits for it does alone: waking others for so little takes longer;
 * - as many threads beside it as there are cores for them, at least one.
 */
const V8_FLAGS = ['--max-semi-space-size=16', '--no-parallel-scavenge', '--v8-pool-size=0'];

/** What Node is given before the file to run, as in `npm start` and the Dockerfile; `root` is the folder of the project. */
export function nodeArgs(root = '.'): string[] {
  return [...V8_FLAGS, '--import', `${root}/scripts/prepare-node.js`, '--import', `${root}/instrumentation.ts`];
}
