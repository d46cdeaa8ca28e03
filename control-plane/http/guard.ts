import type { FastifyRequest } from 'fastify';
import { type Access, ANYBODY, type Caller } from '../access/access.ts';
import type { Scope } from '../contract/rest/tokens.ts';
import { ScopeMissing, saying, TokenInvalid, TokenRequired } from '../errors.ts';
import { requireOwnSite } from './own-site.ts';
import type { RateLimits } from './rate-limits.ts';
import type { App } from './route.ts';

type Needed = readonly (Scope | 'open')[];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whom the route is for, any one of them; `open`: for everybody. A route that does not say is for admins. */
    readonly scopes?: Needed;
  }
}

/** Pages and files that carry nothing of the fleet. */
const OPEN_PAGES = ['/docs', '/openapi.json'];
const OPEN: Needed = ['open'];
const ADMIN: Needed = ['admin'];
const RANK: Readonly<Record<Scope, number>> = { filter: 0, read: 1, operate: 2, admin: 3 };

/** The `config` of a route: whom it is for. */
export function scopes(...needed: readonly (Scope | 'open')[]) {
  return { scopes: needed };
}

/** Whoever sent the request. */
export function callerOf(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>('caller');
}

export interface GuardDependencies {
  readonly access: Access;
  readonly limits: RateLimits;
  /** Whether only programs of this machine reach the port. */
  readonly isLoopback: boolean;
}

/** Lets a request through to its route only if its token, or the lack of any token, allows it. */
export function guard(app: App, { access, limits, isLoopback }: GuardDependencies): void {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', (route) => {
    if (OPEN_PAGES.some((page) => route.url === page || route.url.startsWith(`${page}/`)))
      route.config = { ...route.config, ...scopes('open') };
  });
  app.addHook('onRequest', (request, _, done) => {
    const needed = request.is404 ? OPEN : (request.routeOptions.config.scopes ?? ADMIN);
    if (!access.isOpen) {
      letThrough(request, needed).then(() => done(), done);
      return;
    }
    if (isLoopback && !needed.includes('open')) requireOwnSite(request, needed.includes('filter'));
    request.setDecorator('caller', ANYBODY);
    done();
  });

  const letThrough = async (request: FastifyRequest, needed: Needed): Promise<void> => {
    const caller = await authenticated(access, request, limits);
    request.setDecorator('caller', caller ?? ANYBODY);
    if (needed.includes('open')) return;
    if (!caller) throw refused(new TokenRequired(), 'Bearer realm="rekindle"');
    await limits.count(request, caller, needed.includes('filter'));
    const { service } = request.params as { service?: string };
    if (needed.some((scope) => scope !== 'open' && holds(caller, scope, service))) return;
    const wanted = needed.map((scope) => (scope === 'filter' ? `scope filter of the service ${service}` : `scope ${scope}`)).join(' or ');
    const has = caller.service === null ? `scope ${caller.scope}` : `scope filter of the service ${caller.service}`;
    throw refused(new ScopeMissing(wanted, has), 'Bearer realm="rekindle", error="insufficient_scope"');
  };
}

/** Whoever the token names; null: there is none. A wrong one is refused even where none is needed, so that its holder learns of it. */
async function authenticated(access: Access, request: FastifyRequest, limits: RateLimits): Promise<Caller | null> {
  const header = request.headers.authorization;
  if (header === undefined) return null;
  const secret = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  const caller = secret === undefined ? null : access.holderOf(secret);
  if (caller) return caller;
  await limits.countWrongToken(request);
  throw refused(new TokenInvalid(), 'Bearer realm="rekindle", error="invalid_token"');
}

function holds(caller: Caller, scope: Scope, service: string | undefined): boolean {
  if (scope === 'filter') return caller.scope === 'filter' && caller.service === service;
  return RANK[caller.scope] >= RANK[scope];
}

const refused = (error: InstanceType<typeof TokenRequired>, challenge: string) =>
  saying(error, { headers: { 'www-authenticate': challenge } });
