const string = { type: 'string' };

/** Fastify's documentation recommends a schema for the answer: it is then serialized by compiled code. */
export const schema = {
  response: {
    200: {
      type: 'object',
      properties: {
        data: { type: 'object', properties: { project: string, status: string, environment: string } },
        meta: { type: 'object', properties: { timestamp: string, success: { type: 'boolean' }, padding: string } },
      },
    },
  },
};
