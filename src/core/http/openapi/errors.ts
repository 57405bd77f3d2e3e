import {
  AppHttpError,
  BadRequestError,
  ForbiddenError,
  PayloadTooLargeError,
  ServiceUnavailableError,
  TooManyRequestsError,
  UnauthorizedError,
  UnsupportedMediaTypeError,
  ValidationError,
} from '../../errors/app-http-error.ts';
import { isGuarded } from '../route.ts';
import type { MountedRoute } from '../router.ts';

/** What the core may answer any request with. */
const ALWAYS: readonly AppHttpError[] = [
  new BadRequestError('The request is not well-formed HTTP/1.1', { code: 'request.malformed' }),
  new AppHttpError(417, 'The request expects something else than 100-continue', {
    title: 'Expectation Failed',
    code: 'request.unmet_expectation',
  }),
  new AppHttpError(431, 'The request line and headers are larger than 16 KiB', {
    title: 'Request Header Fields Too Large',
    code: 'request.headers_too_large',
  }),
  new AppHttpError(500, undefined, { title: 'Internal Server Error', code: 'internal.error' }),
];

const UNLESS_QUIET: readonly AppHttpError[] = [
  new AppHttpError(408, 'The request did not arrive in time', { title: 'Request Timeout', code: 'request.timeout' }),
  new ServiceUnavailableError('Too many requests at this moment', { code: 'overload.shed' }),
  new ServiceUnavailableError('It was not done within REQUEST_TIMEOUT_MS', { code: 'request.deadline' }),
];

const LIMITED: readonly AppHttpError[] = [
  new TooManyRequestsError('There were too many requests', {
    headers: { RateLimit: '"general";r=0;t=1', 'RateLimit-Policy': '"general";q=1200;w=60' },
  }),
];

const WITH_BODY: readonly AppHttpError[] = [
  new BadRequestError('The body is not well-formed JSON', { code: 'request.malformed_json' }),
  new BadRequestError('The body is not what its Content-Encoding says', { code: 'request.bad_encoding' }),
  new BadRequestError('A field of the body is named __proto__', { code: 'request.forbidden_field' }),
  new BadRequestError('The body did not arrive whole'),
  new PayloadTooLargeError('The body is larger than BODY_LIMIT'),
  new UnsupportedMediaTypeError('The body is not application/json, or in an encoding that is not taken'),
];

const WITH_SCHEMA: readonly AppHttpError[] = [
  new ValidationError([{ field: '/body/email', message: 'is missing', rule: 'required' }]),
];

const AUTHENTICATED: readonly AppHttpError[] = [
  new UnauthorizedError('There is no access token', { code: 'auth.token_missing' }),
  new UnauthorizedError('The access token has expired', { code: 'auth.token_expired' }),
  new UnauthorizedError('The access token is not valid, or its session has ended', { code: 'auth.token_invalid' }),
  new ServiceUnavailableError('The database cannot be reached', { code: 'postgres.unavailable' }),
];

const WITH_ROLES: readonly AppHttpError[] = [
  new ForbiddenError('The user has none of the roles that it is for', { code: 'auth.role_required' }),
];

/** Every error that a route may answer with, by status: those of the core, of its guards and schemas, and its own. */
export function errorsOf({ route, template }: MountedRoute): Map<number, AppHttpError[]> {
  const { body, query, params, roles, quiet, errors = [] } = route;
  const own = errors.map(({ type, code, description }) => new type(description, code === undefined ? {} : { code }));
  const all = [
    ...ALWAYS,
    ...(quiet ? [] : UNLESS_QUIET),
    ...(template.startsWith('/api/') ? LIMITED : []),
    ...(body === undefined ? [] : WITH_BODY),
    ...((body ?? query ?? params) ? WITH_SCHEMA : []),
    ...(isGuarded(route) ? AUTHENTICATED : []),
    ...(roles === undefined ? [] : WITH_ROLES),
    ...own,
  ];
  const byStatus = Map.groupBy(all, ({ status }) => status);
  return new Map([...byStatus].map(([status, group]) => [status, distinct(group)]));
}

function distinct(errors: readonly AppHttpError[]): AppHttpError[] {
  return [...new Map(errors.map((error) => [error.code, error])).values()];
}
