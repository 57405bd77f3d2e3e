// node:http and a pool of pg with a prepared statement: what `GET /api/users/me` asks, nothing around it.
import { createServer } from 'node:http';
import pg from 'pg';
import { host, port } from './settings.mjs';

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL_SIZE),
});
const statement = JSON.parse(process.env.STATEMENT);
const padding = 'x'.repeat(Number(process.env.PADDING_BYTES ?? 0));

const server = createServer(async (_req, res) => {
  try {
    const { rows } = await pool.query(statement);
    const { userId: id, email, roles, createdAt } = rows[0];
    const meta = { timestamp: new Date().toISOString(), success: true, padding };
    const body = JSON.stringify({ data: { id, email, roles, created_at: createdAt }, meta });
    res.writeHead(200, { 'Content-Length': Buffer.byteLength(body), 'Content-Type': 'application/json' }).end(body);
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    res.writeHead(500).end();
  }
});
server.listen(port, host);
