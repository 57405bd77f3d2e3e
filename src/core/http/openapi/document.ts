import packageJson from '../../../../package.json' with { type: 'json' };
import type { Settings } from '../../config/index.ts';
import type { MountedRoute } from '../router.ts';
import { ResponseBook, SchemaBook } from './books.ts';
import { operationOf, pathOf } from './operation.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the description says of the whole API. */
export type ApiInfo = Pick<Settings, 'projectName' | 'projectDescription' | 'projectVersion'>;

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` that `POST /api/auth/login` gives (RFC 6750)',
  },
  metricsToken: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN, where the operator has set one' },
};

const header = (description: string, type = 'string') => ({ description, schema: { type } });

/** What error answers and envelopes may carry. */
const HEADERS = {
  'X-Request-ID': header('The id of the request: as it was sent when it is well-formed, else a new one'),
  'Retry-After': header('Seconds after which to come again (RFC 9110 §10.2.3)', 'integer'),
  RateLimit: header('What is left of each limit (draft-ietf-httpapi-ratelimit-headers-10)'),
  'RateLimit-Policy': header('What the limits are (draft-ietf-httpapi-ratelimit-headers-10)'),
  'WWW-Authenticate': header('How to identify (RFC 6750 §3)'),
};

/**
 * The OpenAPI 3.1 description of all routes, made of their declarations alone.
 * Throws `StartupError` when two different schemas have the same title.
 */
export function openApiDocument(routes: readonly MountedRoute[], info: ApiInfo): Json {
  const books = { schemas: new SchemaBook(), responses: new ResponseBook() };
  const paths: Record<string, Record<string, Json>> = {};
  for (const mounted of routes) {
    const path = pathOf(mounted.template);
    paths[path] = { ...paths[path], [mounted.route.method]: operationOf(mounted, books) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: info.projectName,
      description: info.projectDescription,
      version: info.projectVersion,
      license: { name: packageJson.license, identifier: packageJson.license },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: books.schemas.all,
      responses: books.responses.all,
      securitySchemes: SECURITY_SCHEMES,
      headers: HEADERS,
    },
  };
}
