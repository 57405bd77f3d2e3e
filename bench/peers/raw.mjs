// node:http as its documentation has it.
import { createServer } from 'node:http';
import { createBody } from './body.mjs';
import { host, port } from './settings.mjs';

const server = createServer((_req, res) => {
  const body = JSON.stringify(createBody());
  res.writeHead(200, { 'Content-Length': Buffer.byteLength(body), 'Content-Type': 'application/json' }).end(body);
});
server.listen(port, host);
