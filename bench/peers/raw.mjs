// node:http as its documentation has it.
import { createServer } from 'node:http';
import { createBody } from './body.mjs';
import { host, port } from './settings.mjs';

const server = createServer((_req, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(createBody()));
});
server.listen(port, host);
