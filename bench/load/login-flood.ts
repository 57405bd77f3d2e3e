import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { request } from './request.ts';

/*
 * A thread of its own, so that who measures beside it is not slowed down by it: clients that each log in again as soon as
 * they are answered. Told to stop, it says how often it got which status.
 */

const { url, clients } = workerData as { url: string; clients: number };
const byStatus: Record<string, number> = {};
let isStopped = false;

parentPort?.once('message', () => {
  isStopped = true;
});

async function client(): Promise<void> {
  while (!isStopped) {
    const body = { email: `${randomBytes(8).toString('hex')}@example.org`, password: 'none of the passwords' };
    const { status } = await request(`${url}/api/auth/login`, { method: 'POST', body });
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
}

await Promise.all(Array.from({ length: clients }, client));
parentPort?.postMessage(byStatus);
