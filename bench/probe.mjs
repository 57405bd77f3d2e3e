// Preloaded into a server: once a second it writes how late the event loop was and how long garbage collection held it,
// as one line of JSON into the file that PROBE_FILE names.
import { appendFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

const EVERY_MS = 10;
let late = [];
let pauses = [];
let last = performance.now();

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) pauses.push(duration);
}).observe({ entryTypes: ['gc'] });

setInterval(() => {
  const now = performance.now();
  late.push(Math.max(0, now - last - EVERY_MS));
  last = now;
}, EVERY_MS).unref();

setInterval(() => {
  appendFileSync(process.env.PROBE_FILE, `${JSON.stringify({ at: Date.now(), late, pauses })}\n`);
  late = [];
  pauses = [];
}, 1000).unref();
