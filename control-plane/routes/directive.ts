import type { FastifyReply, FastifyRequest } from 'fastify';
import { Directive } from '../contract/directive.ts';
import { WatchQuery } from '../contract/rest/directive.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { Stopping, saying, TokenInvalid, TooManyWatchers } from '../errors.ts';
import type { RenderedDirective } from '../fleet/directive.ts';
import type { FleetService } from '../fleet/service.ts';
import type { WatchAnswer } from '../fleet/watchers.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies, ref } from '../http/route.ts';

/** Those turned away come back spread over this many seconds. */
const RETRY_SPREAD_SECONDS = 10;

const schema = {
  operationId: 'watchDirective',
  summary: 'Wait for the directive of a service',
  description:
    'Answers 200 on any difference of (lineage, revision, hash), else 304 after `wait` seconds. The policy is left out for a caller ' +
    'that has its revision. 404 means that the store does not know the service: filters keep what they have.',
  tags: ['filters'],
  params: ServicePath,
  querystring: WatchQuery,
  response: answers({ 200: ref(Directive, 'Directive'), 304: 'No difference' }),
};

/** What a caller says it has. */
interface Held {
  readonly lineage?: string;
  readonly revision?: number;
  readonly hash?: string;
  readonly policyRevision?: number;
}

type Asked = Held & { readonly wait: number };

export function directiveRoutes(app: App, { fleet, access, random, replicas }: RouteDependencies): void {
  const send = (reply: FastifyReply, directive: RenderedDirective, held: Held) =>
    reply.type('application/json; charset=utf-8').send(directive.json(fleet.clock(), knowsPolicy(directive, held)));

  /** Whether the caller may hold something newer than what is here: an older directive must not reach it. */
  const isAhead = (held: Held, { name }: RenderedDirective) => replicas?.following.isAhead(held, name) ?? false;

  const answer = (request: FastifyRequest, reply: FastifyReply, service: FleetService, { wait, ...held }: Asked, maySend: boolean) => {
    if (maySend && !isSame(service.directive, held)) return send(reply, service.directive, held);
    if (wait === 0) return reply.code(304).send();
    const watcher = fleet.watchers.wait(service.name, wait * 1000, (news: WatchAnswer) => {
      const { directive } = service;
      if (!access.admits(callerOf(request)))
        reply.send(new TokenInvalid()); // revoked while it waited
      else if (news === 'changed' && !isAhead(held, directive)) send(reply, directive, held);
      else if (news !== 'stopping') reply.code(304).send();
      else reply.send(saying(new Stopping(), { retryAfterSeconds: 1 }));
    });
    if (!watcher) throw turnedAway();
    reply.raw.once('close', () => fleet.watchers.leave(watcher));
    return undefined;
  };

  app.get('/v1/services/:service/directive', { schema, config: scopes('read', 'filter') }, (request, reply) => {
    const { query } = request;
    const { service: name } = request.params;
    const service = fleet.known(name);
    reply.header('cache-control', 'no-store');
    if (!replicas || !isAhead(query, service.directive)) return answer(request, reply, service, query, true);
    const caughtUp = replicas.following.catchUpWith(name, query);
    return caughtUp.then((isNewest) => answer(request, reply, fleet.known(name), query, isNewest) ?? reply);
  });

  const turnedAway = () =>
    fleet.watchers.stopping
      ? saying(new Stopping(), { retryAfterSeconds: 1 })
      : saying(new TooManyWatchers(String(fleet.watchers.count)), { retryAfterSeconds: 1 + Math.floor(random() * RETRY_SPREAD_SECONDS) });
}

function isSame({ name }: RenderedDirective, held: Held): boolean {
  return held.lineage === name.lineage && held.revision === name.revision && held.hash === name.hash;
}

function knowsPolicy({ name, policyRevision }: RenderedDirective, held: Held): boolean {
  return held.lineage === name.lineage && held.policyRevision === policyRevision;
}
