import { readFile } from 'node:fs/promises';
import { NotFoundError } from '../../errors/app-http-error.ts';
import { BaseDTO } from '../dto.ts';
import { type Route, type RouteContext, route } from '../route.ts';
import { mountedRoutes, type Routers } from '../router.ts';
import { Type } from '../type.ts';
import { type ApiInfo, openApiDocument } from './document.ts';

/** Files of swagger-ui-dist that the page needs. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};
const START_FILE = 'start.js';

/** Everything from this server, no inline script or style, nothing of another host; the page asks nothing but this API. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // The style sheet has its small pictures in it.
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join(';');

/** Starts the page. Without a validator's address it would send the document's to one on the web. */
const START = `window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
`;

/** `routers` with `GET /openapi.json` and the page `GET /docs`, which describe all of them, these included. */
export function withDocs({ root, api }: Routers, info: ApiInfo): Routers {
  const all: Routers = { root: [...root, descriptionRoute(() => text), pageRoute(info), fileRoute()], api };
  const text = JSON.stringify(openApiDocument(mountedRoutes(all), info));
  return all;
}

function descriptionRoute(text: () => string): Route {
  return route({
    method: 'get',
    path: '/openapi.json',
    tags: ['docs'],
    summary: 'This description (OpenAPI 3.1)',
    responses: { 200: { description: 'The document', content: ['application/json'] } },
    handler: (ctx) => send(ctx, 'application/json; charset=utf-8', text(), 'no-cache'),
  });
}

/** The addresses in it are relative: a proxy may serve all of this below a path of its own. */
function pageRoute({ projectName }: ApiInfo): Route {
  // A project's name has no character that HTML knows.
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${projectName} API</title>
    <link rel="icon" href="docs/favicon-32x32.png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/${START_FILE}"></script>
  </body>
</html>
`;
  return route({
    method: 'get',
    path: '/docs',
    summary: 'A page to read this description and to try the API',
    responses: { 200: { description: 'The page', content: ['text/html'] } },
    handler(ctx) {
      ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
      send(ctx, 'text/html; charset=utf-8', html, 'no-cache');
    },
  });
}

function fileRoute(): Route {
  return route({
    method: 'get',
    path: '/docs/:file',
    summary: 'A file of that page',
    params: BaseDTO({ file: Type.String({ examples: ['swagger-ui.css'] }) }),
    responses: { 200: { description: 'The file', content: ['text/css', 'text/javascript', 'image/png'] } },
    errors: [{ type: NotFoundError, description: 'The page has no such file' }],
    async handler(ctx) {
      const { file } = ctx.state.input.params;
      if (file === START_FILE) return send(ctx, 'text/javascript; charset=utf-8', START, 'no-cache');
      const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
      if (type === undefined) throw new NotFoundError('The page has no such file');
      send(ctx, type, await readFile(new URL(import.meta.resolve(`swagger-ui-dist/${file}`))), 'max-age=3600');
    },
  });
}

function send(ctx: Pick<RouteContext, 'set' | 'body'>, type: string, body: string | Buffer, caching: string): void {
  ctx.set('Cache-Control', caching);
  ctx.body = body;
  ctx.set('Content-Type', type);
}
