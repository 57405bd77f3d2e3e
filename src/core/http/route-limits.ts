import { AppHttpError } from '../errors/app-http-error.ts';
import { getLogger } from '../logging/index.ts';
import { networkOf } from '../security/limits/network.ts';
import { type Decision, type LimitRule, policyOf } from '../security/limits/policy.ts';
import type { Hit, Limit, RateLimiter } from '../security/limits/rate-limiter.ts';
import type { Principal } from './authenticate.ts';
import type { SessionDeviceInfo } from './device-info.ts';
import { announceLimit, limitExceeded } from './rate-limit-headers.ts';
import type { Middleware, OkapiContext } from './state.ts';

/** A limit that counts by the account that a request is about. */
export type AccountRule = LimitRule & {
  /** Counts each address apart. */
  andAddress?: boolean;
  /** Counts only what ends in the error of this code. It is counted before it is tried, and given back if it does not. */
  failures?: string;
  /** Past `max`, single hits after a delay that doubles from one second to this, in place of none at all. */
  longestDelaySeconds?: number;
  /** Asked only of who would be refused: whether this limit is none for that account from that address. */
  isExempt?(account: string, address: string): Promise<boolean>;
};

/**
 * The limits of a route. They count by its method and template, so no other spelling of the path is a way round, or by
 * `scope`.
 * `byAddress` is asked before the body is read, `byAccount` once it has been validated.
 */
export type RouteLimits<B = unknown> = {
  /** Routes that name the same one are one to their limits: what is left is left for all of them. */
  scope?: string;
  byAddress?: readonly LimitRule[];
  byAccount?: readonly AccountRule[];
  /** What names the account, in its one spelling; `undefined` where a request names none. Needed for `byAccount`. */
  account?(input: { body: B; principal: Principal | undefined }): string | undefined;
  /** Takes note of a refusal. `account` is told once a minute for each, so that nobody can fill an account's events. */
  onRefused?(device: SessionDeviceInfo, account: string | undefined): Promise<void> | void;
};

type Rule = AccountRule & { limit: Limit };
type Asked = Hit & { rule: Rule; decision: Decision };

const logger = getLogger('app.http.limits');

/**
 * The layers of the limits of one route. `ofRoute` is its method and template. Throws `RangeError` when another route of
 * its scope has a limit of the same name that is not the same.
 */
export function createRouteLimits<B>(limits: RouteLimits<B>, ofRoute: string, limiter: RateLimiter) {
  const scope = limits.scope ?? ofRoute;
  const bind = (rules: readonly AccountRule[] = []): Rule[] =>
    limiter.enabled
      ? rules
          .filter(({ max }) => max > 0)
          .map((rule) => ({ ...rule, limit: limiter.limit(policyOf(rule, rule.longestDelaySeconds), scope) }))
      : [];
  const addressRules = bind(limits.byAddress);
  const accountRules = bind(limits.byAccount);
  const told =
    accountRules.length === 0
      ? undefined
      : limiter.limit(policyOf({ name: 'refusals-told', max: 1, windowSeconds: 60 }), scope);

  async function ask(hits: readonly (Hit & { rule: Rule })[]): Promise<Asked[]> {
    const decisions = await limiter.takeAll(hits);
    return hits.map((hit, index) => ({ ...hit, decision: decisions[index] as Decision }));
  }

  /** Shows how much is left, and throws 429 when one of them has no room: the one that takes longest. */
  async function judge(ctx: OkapiContext, asked: readonly Asked[], account?: string): Promise<void> {
    const [refused] = fullOf(asked).sort((a, b) => b.decision.resetMs - a.decision.resetMs);
    for (const each of asked) {
      // How many failures an account has had is shown to nobody but who is refused for them.
      if (each.rule.failures === undefined || each === refused) announceLimit(ctx, each.limit.policy, each.decision);
    }
    if (refused === undefined) return;
    await tellOf(ctx, account);
    throw limitExceeded(refused.limit.policy, refused.decision, limiter.namesSettings);
  }

  async function tellOf({ state }: OkapiContext, account: string | undefined): Promise<void> {
    try {
      const isDue = told && account && (await limiter.take(told, limiter.callerOfAccount(account))).isAllowed;
      await limits.onRefused?.(state.deviceInfo, isDue ? account : undefined);
    } catch (error) {
      logger.exception('That a request was refused was not recorded', error);
    }
  }

  async function addressLimits(ctx: OkapiContext, next: () => Promise<void>): Promise<void> {
    const caller = networkOf(ctx.state.clientAddress);
    await judge(ctx, await ask(addressRules.map((rule) => ({ rule, limit: rule.limit, caller }))));
    await next();
  }

  async function accountLimits(ctx: OkapiContext, next: () => Promise<void>): Promise<void> {
    const { input, principal, clientAddress } = ctx.state;
    const account = limits.account?.({ body: input.body as B, principal });
    if (account === undefined) return next();
    const owner = limiter.callerOfAccount(account);
    const owned = accountRules.map((rule) => {
      return { rule, limit: rule.limit, caller: rule.andAddress ? `${owner} ${networkOf(clientAddress)}` : owner };
    });
    let asked = await ask(owned);
    const full = fullOf(asked);
    if (full.length > 0 && (await areExempt(full, account, clientAddress))) {
      asked = await ask(owned.filter(({ rule }) => !full.some((each) => each.rule === rule)));
    }
    await judge(ctx, asked, account);
    await countFailures(asked, next);
  }

  async function countFailures(asked: readonly Asked[], next: () => Promise<void>): Promise<void> {
    const counted = asked.filter(({ rule }) => rule.failures !== undefined);
    const giveBackUnless = (code?: string) =>
      Promise.all(
        counted.filter(({ rule }) => rule.failures !== code).map((each) => limiter.giveBack(each, each.decision)),
      );
    try {
      await next();
    } catch (error) {
      await giveBackUnless(error instanceof AppHttpError ? error.code : undefined);
      throw error;
    }
    await giveBackUnless();
  }

  return {
    byAddress: addressRules.length === 0 ? undefined : (addressLimits as Middleware),
    byAccount: accountRules.length === 0 ? undefined : (accountLimits as Middleware),
  };
}

function fullOf(asked: readonly Asked[]): Asked[] {
  return asked.filter(({ decision }) => !decision.isAllowed);
}

async function areExempt(full: readonly Asked[], account: string, address: string): Promise<boolean> {
  const answers = await Promise.all(full.map(({ rule }) => rule.isExempt?.(account, address) ?? false));
  return answers.every((isExempt) => isExempt);
}

/** What is wrong with the limits of a route, in words; `undefined` when nothing is. */
export function problemWithLimits({ byAddress = [], byAccount = [], account }: RouteLimits): string | undefined {
  const rules = [...byAddress, ...byAccount];
  const names = new Set(['general', ...rules.map(({ name }) => name)]);
  if (names.size <= rules.length) return 'has two limits of one name, or one that is called general';
  if (byAccount.length > 0 && account === undefined) return 'limits by account and does not say by which: give account';
  try {
    for (const rule of rules) if (rule.max !== 0) policyOf(rule);
  } catch (error) {
    return `has a limit that cannot be kept: ${(error as Error).message}`;
  }
  return undefined;
}
