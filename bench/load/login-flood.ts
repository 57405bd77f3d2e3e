import { randomBytes } from 'node:crypto';
import { request } from './request.ts';

/*
 * A process of its own, so that it can be told to leave the core to all others: clients that each log in again as soon as
 * they are answered. Told to stop, it says how often it got which status.
 */

const [url, clients] = process.argv.slice(2);
const byStatus: Record<string, number> = {};
let isStopped = false;

process.once('message', () => {
  isStopped = true;
});

async function client(): Promise<void> {
  while (!isStopped) {
    const body = { email: `${randomBytes(8).toString('hex')}@example.org`, password: 'none of the passwords' };
    const { status } = await request(`${url}/api/auth/login`, { method: 'POST', body });
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
}

await Promise.all(Array.from({ length: Number(clients) }, client));
process.send?.(byStatus, () => process.disconnect?.());
