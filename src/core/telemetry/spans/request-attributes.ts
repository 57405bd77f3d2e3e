import type { Attributes } from '@opentelemetry/api';
import type { RequestFacts } from './server-span.ts';

type ConstantFacts = Pick<RequestFacts, 'method' | 'route' | 'status' | 'httpVersion'>;

/** What is the same for every request of one route, method, status and protocol version. */
export function constantAttributes({ method, route, status, httpVersion }: ConstantFacts): Attributes {
  return {
    'http.request.method': method,
    'url.scheme': 'http',
    ...(route === undefined ? {} : { 'http.route': route }),
    'http.response.status_code': status,
    'network.protocol.version': httpVersion,
    ...(status >= 500 ? { 'error.type': String(status) } : {}),
  };
}

/** What a request tells beside that, and what it spent. */
export function ownAttributes({ carrier, withUserId, originalMethod }: RequestFacts): Attributes | undefined {
  const { userId, spent } = carrier;
  const { postgresStatements, mongoCommands, poolWaitMs, hashQueueMs } = spent;
  const hasUser = withUserId && userId !== undefined;
  if (!hasUser && originalMethod === undefined && postgresStatements + mongoCommands + poolWaitMs + hashQueueMs === 0) {
    return undefined;
  }
  return {
    ...(hasUser ? { 'enduser.id': userId } : {}),
    ...(originalMethod === undefined ? {} : { 'http.request.method_original': originalMethod }),
    ...(postgresStatements === 0
      ? {}
      : { 'okapi.postgres.statements': postgresStatements, 'okapi.postgres.ms': spent.postgresMs }),
    // Also of who waited in vain, and ran no statement at all.
    ...(poolWaitMs === 0 ? {} : { 'okapi.postgres.pool_wait_ms': poolWaitMs }),
    ...(mongoCommands === 0 ? {} : { 'okapi.mongo.commands': mongoCommands, 'okapi.mongo.ms': spent.mongoMs }),
    ...(hashQueueMs === 0 ? {} : { 'okapi.hash_queue_ms': hashQueueMs }),
  };
}

/** The span's name: `METHOD /route/:template`, the method alone where nothing matched, `HTTP` for unknown methods. */
export function spanName({ method, route }: Pick<RequestFacts, 'method' | 'route'>): string {
  const verb = method === '_OTHER' ? 'HTTP' : method;
  return route === undefined ? verb : `${verb} ${route}`;
}

/** All attributes of a request, as the SDK's own processors take them. */
export function requestAttributes(facts: RequestFacts): Attributes {
  const { path, clientAddress, userAgent, carrier } = facts;
  return {
    ...constantAttributes(facts),
    'url.path': path,
    'client.address': clientAddress,
    ...(userAgent === undefined ? {} : { 'user_agent.original': userAgent }),
    ...(carrier.requestId === undefined ? {} : { 'okapi.request_id': carrier.requestId }),
    ...ownAttributes(facts),
  };
}
