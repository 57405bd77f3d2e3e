import http from 'node:http';

const CLIENTS = 40;

/**
 * Sends so many `GET` requests to `url`, over forty connections that are kept. Resolves to how many were answered with
 * 200; rejects when one was not answered.
 */
export async function flood(url: string, requests: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  let left = requests;
  let ok = 0;
  async function client(): Promise<void> {
    while (left > 0) {
      left--;
      if ((await statusOf(url, agent)) === 200) ok++;
    }
  }
  try {
    await Promise.all(Array.from({ length: CLIENTS }, client));
    return ok;
  } finally {
    agent.destroy();
  }
}

function statusOf(url: string, agent: http.Agent): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sent = http.get(url, { agent }, (answer) => {
    answer.resume().on('error', reject);
    answer.on('end', () => resolve(answer.statusCode ?? 0));
  });
  sent.on('error', reject);
  return promise;
}
