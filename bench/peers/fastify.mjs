// Fastify as its documentation has it, with a schema for the answer; its logger is off, which is the default.
import Fastify from 'fastify';
import { createBody } from './body.mjs';
import { schema } from './fastify-schema.mjs';
import { host, port } from './settings.mjs';

const app = Fastify();
app.get('/', { schema }, async () => createBody());
await app.listen({ port, host });
