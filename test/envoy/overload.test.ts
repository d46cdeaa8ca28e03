import { expect, onTestFinished, test } from 'vitest';
import { DocumentReader } from '../../control-plane/contract/documents.ts';
import { Policy } from '../../control-plane/contract/policy.ts';
import { readPolicy } from '../../control-plane/contract/policy-document.ts';
import type { Answer } from '../../envoy/demo/load.ts';
import { figuresOf, mostInOneSecond } from '../../envoy/demo/overload/figures.ts';
import { overloadPolicy } from '../../envoy/demo/overload/scenario.ts';
import { startQueueingUpstream } from '../../envoy/demo/overload/upstream.ts';
import { waitFor } from '../../envoy/demo/wait.ts';

const turns = { triggeredAtMs: 1000, healedAtMs: 2000, endedAtMs: 10_000 };
const fresh = { status: 200, latencyMs: 100, rung: null, reason: null };
const refused = { status: 200, latencyMs: 1, rung: 'stale', reason: 'open' };
const late = { ...fresh, latencyMs: 1001 };

/** A request every 10 ms until the end. */
function clients(answerAt: (sentAtMs: number) => Omit<Answer, 'feature' | 'sentAtMs'>): Answer[] {
  return Array.from({ length: turns.endedAtMs / 10 }, (_, n) => ({ feature: 'catalog', sentAtMs: n * 10, ...answerAt(n * 10) }));
}

const figuresFor = (answers: readonly Answer[]) => figuresOf({ answers, arrivals: [], retries: 0, turns });

test('an answer is good in time only, and degraded ones are told apart', () => {
  const answers = clients((atMs) => (atMs < 1000 ? late : atMs < 2000 ? refused : atMs < 2500 ? { ...fresh, status: 503 } : fresh));
  expect(figuresFor(answers)).toMatchObject({ clients: 1000, lost: 150, degraded: 100, recoveredAfterMs: 490 });
});

test.for([
  { course: 'fresh at once', freshFrom: 0, upTo: Infinity, recoveredAfterMs: 0 },
  { course: 'fresh after three seconds', freshFrom: 5000, upTo: Infinity, recoveredAfterMs: 3000 },
  { course: 'fresh, then not', freshFrom: 5000, upTo: 8000, recoveredAfterMs: null },
  { course: 'never fresh', freshFrom: Infinity, upTo: Infinity, recoveredAfterMs: null },
])('full service returns when it stays: $course', ({ freshFrom, upTo, recoveredAfterMs }) => {
  const seen = figuresFor(clients((atMs) => (atMs >= freshFrom && atMs < upTo ? fresh : late))).recoveredAfterMs;
  if (recoveredAfterMs === null) expect(seen).toBeNull();
  // One lost client in a hundred is not waited for.
  else expect(Math.abs((seen ?? NaN) - recoveredAfterMs)).toBeLessThanOrEqual(10);
});

test('what passes between refusals is a probe, but for the time in which a trip gets around', () => {
  const answers = clients((atMs) => (atMs < 1000 || atMs >= 4000 || atMs === 1100 || atMs === 2500 || atMs === 3000 ? fresh : refused));
  expect(figuresFor(answers).probes).toBe(2);
});

test('the most in one second counts windows wherever they begin', () => {
  expect(mostInOneSecond([])).toBe(0);
  expect(mostInOneSecond([0, 999, 1000, 1500, 1998, 2000])).toBe(4);
});

test("the scenario's policy is one that the control plane accepts", async () => {
  expect(readPolicy(new DocumentReader(Policy), await overloadPolicy(), 'shop')).not.toHaveProperty('problems');
});

test('the upstream works off what clients have left', async () => {
  const upstream = await startQueueingUpstream(0, 1, 50);
  onTestFinished(() => upstream.close());
  const ask = (signal?: AbortSignal) => fetch(`http://127.0.0.1:${upstream.port}/`, signal === undefined ? {} : { signal });
  const impatience = new AbortController();
  const left = ask(impatience.signal).catch((error: Error) => error.name);
  await waitFor('the first arrival', async () => upstream.arrivals[0] ?? null, 5000, 1);
  impatience.abort();
  expect(await left).toBe('AbortError');
  await Promise.all([ask(), ask()]);
  // Three times 50 ms, one after the other; timers of Node may be a millisecond early.
  expect(performance.now() - (upstream.arrivals[0] ?? NaN)).toBeGreaterThan(140);
  expect(upstream.arrivals).toHaveLength(3);
});
