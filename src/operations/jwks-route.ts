import { type JwtService, type Route, route } from '../core/index.ts';

/** RFC 7517 §8.5.2. */
const JWK_SET = 'application/jwk-set+json';
/** Below the time for which a rotated key waits before it signs, so that nobody meets a key that they do not know. */
const MAX_AGE_SECONDS = 300;

/** `GET /.well-known/jwks.json`: what others need to check access tokens, as it is and in no envelope (RFC 7517 §5). */
export function createJwksRoute(tokens: Pick<JwtService, 'publicKeys'>): Route {
  return route({
    method: 'get',
    path: '/.well-known/jwks.json',
    tags: ['auth'],
    summary: 'The public keys of access tokens',
    description: 'A JWK Set. It is empty while tokens are signed with HS256; keys of refresh tokens are never in it.',
    responses: { 200: { description: 'The keys', content: [JWK_SET] } },
    handler(ctx) {
      ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
      ctx.body = JSON.stringify(tokens.publicKeys());
      ctx.set('Content-Type', JWK_SET);
    },
  });
}
