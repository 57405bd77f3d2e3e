import { isGuarded, type Route } from '../route.ts';
import type { MountedRoute } from '../router.ts';
import type { TSchema } from '../type.ts';
import type { Books, SchemaBook } from './books.ts';
import { exampleOf } from './example.ts';
import { responsesOf } from './responses.ts';

type Json = Readonly<Record<string, unknown>>;

/** A template as OpenAPI writes it: `/api/auth/sessions/{id}`. */
export function pathOf(template: string): string {
  return template.replace(/:(\w+)/g, '{$1}');
}

/** The operation object of a route (OpenAPI 3.1 §4.8.10). */
export function operationOf(mounted: MountedRoute, books: Books): Json {
  const { route, template } = mounted;
  const { schemas } = books;
  const parameters = [...parametersIn('path', route.params, schemas), ...parametersIn('query', route.query, schemas)];
  return {
    operationId: operationId(route, template),
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: tagsOf(route, template),
    // For a scheme that knows no scopes the list may name roles (OpenAPI 3.1 §4.8.30).
    security: isGuarded(route) ? [{ bearer: [...(route.roles ?? [])] }] : (route.security ?? []),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body, schemas) }),
    responses: responsesOf(mounted, books),
  };
}

/** `getAuthSessions`, `deleteAuthSessionsById`. */
function operationId({ method }: Route, template: string): string {
  const words = template
    .replace(/^\/api\//, '/')
    .replace(/:(\w+)/g, 'by/$1')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  const name = words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('');
  return `${method}${name === '' ? 'Root' : name}`;
}

function tagsOf({ tags }: Route, template: string): readonly string[] {
  const [first = ''] = template.replace(/^\/(api\/)?/, '').split('/');
  return tags ?? [first === '' ? 'service' : first];
}

function parametersIn(place: 'path' | 'query', schema: TSchema | undefined, book: SchemaBook): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: object; required?: string[] };
  return Object.entries(properties as Record<string, TSchema & { description?: string }>).map(([name, inner]) => ({
    name,
    in: place,
    // What has a default is there after validation, but need not be sent.
    required: place === 'path' || (required.includes(name) && !('default' in inner)),
    ...(inner.description === undefined ? {} : { description: inner.description }),
    schema: book.refer(inner),
  }));
}

function requestBody(schema: TSchema, book: SchemaBook): Json {
  const { required = [], type } = schema as { required?: string[]; type?: string };
  return {
    // An empty body is taken for an empty object.
    required: type !== 'object' || required.length > 0,
    content: { 'application/json': { schema: book.refer(schema), example: exampleOf(schema) } },
  };
}
