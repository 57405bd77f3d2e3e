import { expect } from 'chai';
import { NotFoundError, UnauthorizedError } from '../../src/core/errors/app-http-error.ts';
import { createOperationsAccess } from '../../src/operations/access.ts';

const TOKEN = 'a-token-of-metrics';

describe('who may see metrics and the details of health', () => {
  const seen = (settings: object, listener: 'public' | 'metrics', authorization?: string) => {
    const access = createOperationsAccess({
      environment: 'development',
      metricsToken: undefined,
      metricsPort: undefined,
      ...settings,
    });
    let scrape: number | string = 200;
    try {
      access.assertMayScrape(listener, authorization);
    } catch (error) {
      expect(error).to.satisfy((each: unknown) => each instanceof NotFoundError || each instanceof UnauthorizedError);
      scrape = (error as NotFoundError).status;
    }
    return [scrape, access.maySeeDetails(listener, authorization)];
  };

  const production = { environment: 'production' };
  const withToken = { metricsToken: TOKEN };
  const withPort = { metricsPort: 9464 };
  for (const [what, settings, listener, authorization, expected] of [
    ['everybody in development', {}, 'public', undefined, [200, true]],
    ['everybody in staging', { environment: 'staging' }, 'public', undefined, [200, true]],
    ['nobody in production', production, 'public', undefined, [404, false]],
    ['nobody in production, whatever they send', production, 'public', `Bearer ${TOKEN}`, [404, false]],
    ['who has the token', { ...production, ...withToken }, 'public', `Bearer ${TOKEN}`, [200, true]],
    ['who has the token, in development too', withToken, 'public', `bearer ${TOKEN}`, [200, true]],
    ['nobody without the token', { ...production, ...withToken }, 'public', undefined, [401, false]],
    ['nobody with another token', withToken, 'public', `Bearer ${TOKEN}x`, [401, false]],
    ['nobody with a part of the token', withToken, 'public', `Bearer ${TOKEN.slice(0, -1)}`, [401, false]],
    ['nobody with the token by another scheme', withToken, 'public', `Basic ${TOKEN}`, [401, false]],
    ['nobody with an empty token', withToken, 'public', 'Bearer ', [401, false]],
    ['nobody with two tokens', withToken, 'public', `Bearer ${TOKEN} ${TOKEN}`, [401, false]],
    ['who asks on the port for it', { ...production, ...withPort }, 'metrics', undefined, [200, true]],
    ['nobody on the public port then', { ...production, ...withPort }, 'public', undefined, [404, false]],
    ['nobody on the public port then, in development too', withPort, 'public', undefined, [404, false]],
    [
      'nobody on the public port then, with a token too',
      { ...withPort, ...withToken },
      'public',
      `Bearer ${TOKEN}`,
      [404, false],
    ],
    ['who has the token on the port for it', { ...withPort, ...withToken }, 'metrics', `Bearer ${TOKEN}`, [200, true]],
    ['nobody without the token on that port', { ...withPort, ...withToken }, 'metrics', undefined, [401, false]],
  ] as const) {
    it(`is ${what}`, () => expect(seen(settings, listener, authorization)).to.deep.equal(expected));
  }
});
