import { STATUS_CODES } from 'node:http';
import type { AppHttpError } from '../../errors/app-http-error.ts';
import { type ProblemBody, problemBody } from '../response.ts';
import type { RouteResponse } from '../route.ts';
import type { MountedRoute } from '../router.ts';
import type { Books, SchemaBook } from './books.ts';
import { errorsOf } from './errors.ts';
import { exampleOf } from './example.ts';

type Json = Readonly<Record<string, unknown>>;

const REQUEST_ID = '7b84c50e-aabd-45ee-9682-ba0c64f005a7';
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TIMESTAMP = '2026-01-01T00:00:00.000Z';
const META = { timestamp: TIMESTAMP, success: true, request_id: REQUEST_ID, trace_id: TRACE_ID };
const PAGE = { limit: 20, next_cursor: null };

/** The responses object of a route (OpenAPI 3.1 §4.8.16): what it declares, and every error that it may answer with. */
export function responsesOf(mounted: MountedRoute, { schemas, responses }: Books): Json {
  const byStatus: Record<string, Json> = {};
  for (const [status, response] of Object.entries(mounted.route.responses))
    byStatus[status] = answer(response, schemas);
  for (const [status, errors] of errorsOf(mounted)) {
    const error = problem(status, errors);
    const declared = byStatus[status];
    // Not ready is 503 in the envelope; shed is 503 as a problem.
    byStatus[status] =
      declared === undefined
        ? responses.refer(phraseOf(status).replace(/[^A-Za-z]/g, ''), error)
        : { ...error, ...declared, content: { ...(declared['content'] as object), ...(error['content'] as object) } };
  }
  return byStatus;
}

function answer({ description, schema, content, isPage = false }: RouteResponse, book: SchemaBook): Json {
  const headers = { 'X-Request-ID': { $ref: '#/components/headers/X-Request-ID' } };
  if (content !== undefined) {
    return { description, headers, content: Object.fromEntries(content.map((type) => [type, {}])) };
  }
  if (schema === undefined) return { description, headers };
  const meta = { $ref: `#/components/schemas/${isPage ? 'PageMeta' : 'Meta'}` };
  return {
    description,
    headers,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['data', 'meta'],
          properties: { data: book.refer(schema), meta },
          additionalProperties: false,
        },
        example: { data: exampleOf(schema), meta: isPage ? { ...META, page: PAGE } : META },
      },
    },
  };
}

function problem(status: number, errors: readonly AppHttpError[]): Json {
  const codes = errors.map(({ code }) => code);
  const fieldProblems = { type: 'array', items: { $ref: '#/components/schemas/FieldProblem' } };
  const own = {
    status: { const: status },
    code: { enum: codes },
    ...(status === 422 ? { errors: fieldProblems } : {}),
  };
  return {
    description: [phraseOf(status), ...errors.map(({ code, detail }) => listed(code, detail))].join('\n'),
    headers: headersOf(errors),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }],
          properties: own,
        },
        examples: Object.fromEntries(errors.map((error) => [error.code, { value: exampleProblem(error) }])),
      },
    },
  };
}

function listed(code: string, detail: string | undefined): string {
  return detail === undefined ? `- \`${code}\`` : `- \`${code}\`: ${detail}`;
}

function headersOf(errors: readonly AppHttpError[]): Json {
  const names = ['X-Request-ID', ...errors.flatMap(({ headers = {} }) => Object.keys(headers))];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function phraseOf(status: number): string {
  return STATUS_CODES[status] ?? String(status);
}

function exampleProblem(error: AppHttpError): ProblemBody {
  const body = problemBody(error, '/api/users/me', REQUEST_ID, TRACE_ID);
  return { ...body, meta: { ...body.meta, timestamp: TIMESTAMP } };
}
