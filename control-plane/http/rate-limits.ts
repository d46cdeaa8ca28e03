import rateLimit from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../access/access.ts';
import { saying, TooManyRequests } from '../errors.ts';
import type { App } from './route.ts';

/** Requests a minute; null: any number. */
export interface RateSettings {
  /** Of one token, or one address that needs none, on the routes for people. */
  readonly requestsPerMinute: number | null;
  /** Of one source address on the routes for filters. */
  readonly filterRequestsPerMinute: number | null;
  /** Wrong tokens of one source address. */
  readonly wrongTokensPerMinute: number | null;
}

const MINUTE_MS = 60_000;

export interface RateLimits {
  count(request: FastifyRequest, caller: Caller, isFilters: boolean): Promise<void>;
  countWrongToken(request: FastifyRequest): Promise<void>;
}

/** Counts requests, and throws a 429 for one too many. */
export async function rateLimits(app: App, settings: RateSettings): Promise<RateLimits> {
  await app.register(rateLimit, { global: false });
  const keyOf = new WeakMap<FastifyRequest, string>();
  const limiter = (max: number | null) =>
    max === null
      ? null
      : app.createRateLimit({ max, timeWindow: MINUTE_MS, keyGenerator: (request: FastifyRequest) => keyOf.get(request) ?? request.ip });
  const ofPeople = limiter(settings.requestsPerMinute);
  const ofFilters = limiter(settings.filterRequestsPerMinute);
  const ofWrongTokens = limiter(settings.wrongTokensPerMinute);
  const hold = async (limit: typeof ofPeople, request: FastifyRequest, who: string): Promise<void> => {
    const counted = await limit?.(request);
    if (!counted || counted.isAllowed || !counted.isExceeded) return;
    throw saying(new TooManyRequests(who, String(counted.max)), { retryAfterSeconds: counted.ttlInSeconds });
  };
  return {
    count: (request, caller, isFilters) => {
      if (isFilters) return hold(ofFilters, request, `the address ${request.ip}`);
      keyOf.set(request, caller.tokenId ?? '');
      return hold(ofPeople, request, `the token ${caller.name}`);
    },
    countWrongToken: (request) => hold(ofWrongTokens, request, `the address ${request.ip}, of wrong tokens,`),
  };
}
