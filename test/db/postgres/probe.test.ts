import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import pg from 'pg';
import { readSettings } from '../../../src/core/config/index.ts';
import { probePostgres } from '../../../src/db/postgres/probe.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort as closedPort } from '../../support/free-port.ts';
import { createDatabases } from '../../support/stores.ts';

const NAME = 'probe-test';

describe('asking whether PostgreSQL is there', () => {
  let databaseUrl: string;
  let drop: () => Promise<void>;
  let admin: pg.Client;
  before(async () => {
    ({ databaseUrl, drop } = await createDatabases());
    admin = new pg.Client({ connectionString: databaseUrl });
    await admin.connect();
  });
  after(async () => {
    await admin.end();
    await drop();
  });

  const settings = { ...readSettings({ PROJECT_NAME: NAME }), postgresSslmode: 'disable' as const };
  const probe = (connectionString: string, endsAfterMs?: number) =>
    probePostgres({ ...settings, connectionString }, endsAfterMs);
  const failure = (asked: Promise<void>) =>
    asked.then(
      () => 'it is there',
      (error: Error) => error.message,
    );
  const at = (change: Partial<Pick<URL, 'port' | 'username' | 'password'>>) =>
    Object.assign(new URL(databaseUrl), change).href;

  it('takes a connection of its own, which ends with the answer', async () => {
    await probe(databaseUrl);
    const open = async () => {
      const sql = 'select 1 from pg_stat_activity where application_name = $1';
      return (await admin.query(sql, [`${NAME}-health`])).rows.length;
    };
    await eventually(async () => (await open()) === 0);
  });

  it('says why it is not, and no password', async () => {
    expect(await failure(probe(at({ port: String(await closedPort()) })))).to.contain('ECONNREFUSED');
    expect(await failure(probe(at({ password: 'not-the-password' }))))
      .to.contain('password authentication failed')
      .and.not.contain('not-the-password');
  });

  it('does not take a server that is full for one that is away', async () => {
    const role = `full_${process.pid}`;
    await admin.query(`create role ${role} login password 'full' connection limit 0`);
    try {
      const client = new pg.Client({ connectionString: at({ username: role, password: 'full' }) });
      const refused = await client.connect().catch((error: { code?: string }) => error.code);
      expect(refused).to.equal('53300');
      expect(await failure(probe(at({ username: role, password: 'full' })))).to.equal('it is there');
    } finally {
      await admin.query(`drop role ${role}`);
    }
  });

  it('gives up a server that takes the connection and says nothing, and lets go of it', async () => {
    const held: net.Socket[] = [];
    const mute = net.createServer((socket) => held.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as net.AddressInfo;
    try {
      expect(await failure(probe(at({ port: String(port) }), 50))).to.equal('no answer within 50 ms');
      await eventually(() => held.length === 1 && held[0]?.resume().destroyed);
    } finally {
      mute.close();
    }
  });
});
