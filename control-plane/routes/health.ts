import Type from 'typebox';
import { Readiness } from '../contract/rest/health.ts';
import { scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies } from '../http/route.ts';

const tags = ['process'];
/** Without a tick for this long the recoveries stand still. */
const TICK_LATE_MS = 5000;
const CHECK_WITHIN_MS = 1000;

type Part = Readiness['parts'][string];

export function healthRoutes(app: App, { fleet, store, ticker, metrics }: RouteDependencies): void {
  const live = {
    operationId: 'live',
    summary: 'The process answers',
    tags,
    response: answers({ 200: Type.Object({ status: Type.Literal('live') }) }),
  };
  app.get('/livez', { schema: live, config: scopes('open') }, async () => ({ status: 'live' as const }));

  const ready = {
    operationId: 'ready',
    summary: 'The parts of the process work',
    tags,
    response: answers({ 200: Readiness, 503: Readiness }),
  };
  app.get('/readyz', { schema: ready, config: scopes('open') }, async (_, reply) => {
    const parts = { store: await storePart(() => store.check()), ticker: tickerPart(ticker.ageMs(fleet.clock()), ticker.isLeader) };
    const isReady = Object.values(parts).every(({ ok }) => ok);
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not-ready', parts });
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

function tickerPart(ageMs: number | null, isLeader: boolean): Part {
  if (ageMs === null) return { ok: false, detail: 'has not ticked yet' };
  if (!isLeader) return { ok: false, detail: 'another process leads' };
  return { ok: ageMs < TICK_LATE_MS, detail: `last tick ${Math.round(ageMs)} ms ago` };
}
