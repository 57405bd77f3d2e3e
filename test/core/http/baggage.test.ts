import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { propagation } from '@opentelemetry/api';
import { expect } from 'chai';
import { sendBaggage } from '../../../src/core/telemetry/send-baggage.ts';
import { request } from '../../support/client.ts';
import { get, serve, type TestApp } from './harness.ts';

describe("a caller's baggage", () => {
  const received: (string | undefined)[] = [];
  const other = http.createServer((req, res) => {
    received.push(req.headers['baggage'] as string | undefined);
    if (req.url === '/away') res.writeHead(302, { Location: `http://127.0.0.1:${port()}/` });
    res.end();
  });
  const port = () => (other.address() as AddressInfo).port;
  const apps: TestApp[] = [];
  let inside: Record<string, string> | undefined;
  let ask: (host: string) => Promise<unknown>;

  before(async () => {
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
  });
  beforeEach(() => {
    received.length = 0;
    ask = async (host) => (await fetch(`http://${host}:${port()}`)).text();
  });
  after(async () => {
    await Promise.all(apps.map((app) => app.close()));
    other.closeAllConnections();
    other.close();
  });

  async function start(env: Record<string, string> = {}): Promise<TestApp> {
    const handler = get('/baggage', async (ctx) => {
      const entries = propagation.getActiveBaggage()?.getAllEntries();
      inside = entries && Object.fromEntries(entries.map(([name, { value }]) => [name, value]));
      await ask('localhost');
      await ask('127.0.0.1');
      ctx.respond.success({});
    });
    const app = await serve({ env, routes: [handler] });
    apps.push(app);
    return app;
  }

  async function seen(baggage: string, env?: Record<string, string>) {
    const app = await start(env);
    await request(`${app.url}/api/baggage`, { headers: { baggage } });
    return inside;
  }

  it('is there for whatever the request does, decoded', async () => {
    expect(await seen('tenant=acme, plan=gold%20plus;secure')).to.deep.equal({ tenant: 'acme', plan: 'gold plus' });
    expect(received).to.deep.equal([undefined, undefined]);
  });

  it('is that of those whose trace is continued, and of nobody else', async () => {
    expect(await seen('tenant=acme', { TRACE_CONTEXT: 'never' })).to.equal(undefined);
    expect(await seen('tenant=acme', { TRACE_CONTEXT: 'trusted' })).to.equal(undefined);
    expect(await seen('tenant=acme', { TRACE_CONTEXT: 'trusted', TRUST_PROXY: '1' })).to.deep.equal({ tenant: 'acme' });
  });

  it('loses what is not well formed, and keeps the rest', async () => {
    expect(await seen('a b=1,=2,c,d=ü,e="f",g=%zz,h=\\,,i=1;;,good=1,j=a b')).to.deep.equal({ good: '1' });
    expect(await seen('nothing')).to.equal(undefined);
  });

  it('is carried on up to 2 KiB, in whole members', async () => {
    const members = Array.from({ length: 100 }, (_each, n) => `m${String(n).padStart(3, '0')}=${'x'.repeat(35)}`);
    const kept = Object.keys((await seen(members.join(','))) ?? {});
    expect(kept).to.deep.equal(members.slice(0, 49).map((member) => member.slice(0, 4)));
    expect(await seen(`a=${'x'.repeat(2046)}`)).to.have.property('a');
    expect(await seen(`a=${'x'.repeat(2047)}`)).to.equal(undefined);
  });

  describe('with TRACE_BAGGAGE_HOSTS=LOCALHOST', () => {
    let end: () => void;
    before(() => {
      end = sendBaggage(['LOCALHOST']);
    });
    after(() => end());

    it('goes to the named host by fetch, and to no other', async () => {
      await seen('tenant=acme,plan=gold%20plus;secure');
      expect(received).to.deep.equal(['tenant=acme,plan=gold%20plus;secure', undefined]);
    });

    it('does not follow a redirect to another host', async () => {
      ask = async (host) => (await fetch(`http://${host}:${port()}/away`)).text();
      await seen('tenant=acme');
      expect(received).to.deep.equal(['tenant=acme', undefined, undefined, undefined]);
    });

    it('goes there by node:http too', async () => {
      ask = async (host) => {
        const [answer] = (await once(http.get({ host, port: port() }), 'response')) as [http.IncomingMessage];
        answer.resume();
        await once(answer, 'end');
      };
      await seen('tenant=acme');
      expect(received).to.deep.equal(['tenant=acme', undefined]);
    });

    it('leaves alone what the caller of fetch has set', async () => {
      ask = async (host) => (await fetch(`http://${host}:${port()}`, { headers: { Baggage: 'own=1' } })).text();
      await seen('tenant=acme');
      expect(received).to.deep.equal(['own=1', 'own=1']);
    });

    it('is nothing where the request had none', async () => {
      await request(`${(await start()).url}/api/baggage`);
      expect(received).to.deep.equal([undefined, undefined]);
    });
  });
});
