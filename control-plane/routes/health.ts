import Type from 'typebox';
import { Readiness } from '../contract/rest/health.ts';
import { scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies } from '../http/route.ts';

const tags = ['process'];
/** Without a tick for this long the recoveries stand still. */
const TICK_LATE_MS = 5000;
/** Looks at the store come once a second. */
const FOLLOWED_LATE_MS = 5000;
const CHECK_WITHIN_MS = 1000;

type Part = Readiness['parts'][string];

export function healthRoutes(app: App, { store, standing, metrics }: RouteDependencies): void {
  const live = {
    operationId: 'live',
    summary: 'The process answers',
    tags,
    response: answers({ 200: Type.Object({ status: Type.Literal('live') }) }),
  };
  app.get('/livez', { schema: live, config: scopes('open') }, async () => ({ status: 'live' as const }));

  const ready = {
    operationId: 'ready',
    summary: 'The process can serve filters and readers',
    description:
      '`degraded` is still 200: what is in memory is served, so that filters keep their watches; 503 only before the first tick was seen, and ' +
      'while the process stops.',
    tags,
    response: answers({ 200: Readiness, 503: Readiness }),
  };
  app.get('/readyz', { schema: ready, config: scopes('open') }, async (_, reply) => {
    const parts: Readiness['parts'] = { store: await storePart(() => store.check()), ticker: tickerPart(standing) };
    if (standing.role !== 'alone') parts['following'] = followingPart(standing.followedAgeMs);
    const hasBegun = standing.leaderTickAgeMs !== null && !standing.isStopping;
    const isWhole = Object.values(parts).every(({ ok }) => ok);
    const status = hasBegun ? (isWhole ? 'ready' : 'degraded') : 'not-ready';
    return reply.code(hasBegun ? 200 : 503).send({ status, role: standing.role, parts });
  });

  const scrape = {
    operationId: 'metrics',
    summary: 'Metrics in the text format of Prometheus',
    tags,
    response: { ...answers({}), 200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } } },
  };
  app.get('/metrics', { schema: scrape, config: scopes('read') }, async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

async function storePart(check: () => Promise<void>): Promise<Part> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Part>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: `no answer within ${CHECK_WITHIN_MS} ms` }), CHECK_WITHIN_MS);
  });
  const answer = check().then(
    (): Part => ({ ok: true, detail: 'answers' }),
    (error: Error): Part => ({ ok: false, detail: error.message }),
  );
  const part = await Promise.race([answer, late]);
  clearTimeout(timer);
  return part;
}

function tickerPart({ leaderTickAgeMs: ageMs, role, isLeader }: RouteDependencies['standing']): Part {
  if (role === 'alone' && ageMs !== null && !isLeader) return { ok: false, detail: 'another process leads' };
  if (ageMs === null) return { ok: false, detail: 'no tick has been seen yet' };
  return { ok: ageMs < TICK_LATE_MS, detail: `last tick ${Math.round(ageMs)} ms ago` };
}

function followingPart(ageMs: number | null): Part {
  if (ageMs === null) return { ok: false, detail: 'changes of other replicas were never all known yet' };
  return { ok: ageMs < FOLLOWED_LATE_MS, detail: `changes of other replicas were all known ${Math.round(ageMs)} ms ago` };
}
