import type { Answer } from '../load.ts';

/** An answer after this time is worth nothing to a client. */
export const GOOD_WITHIN_MS = 1000;
/** Share of clients with the upstream's own answer that counts as full service. */
const FULL_SERVICE = 0.99;
/** Two refusals further apart belong to two times of being closed to traffic. */
const GAP_MS = 300;
/** Until all workers of the proxy know of a trip, what passes is no probe. */
const ALL_KNOW_MS = 150;

/** Turns of the course, in monotonic ms. */
export interface Turns {
  readonly triggeredAtMs: number;
  readonly healedAtMs: number;
  readonly endedAtMs: number;
}

/** What one variant made of the overload. */
export interface Figures {
  readonly clients: number;
  /** No answer, an error, or one that came too late. */
  readonly lost: number;
  /** Answered in time by a rung. */
  readonly degraded: number;
  /** From the end of the trigger until (nearly) all clients get the upstream's own answer in time, and do so to the end; null: never. */
  readonly recoveredAfterMs: number | null;
  /** Most requests in any one second: sent by clients, arrived at the upstream. */
  readonly offeredPerSecond: number;
  readonly arrivedPerSecond: number;
  readonly retries: number;
  /** Requests let through while all others were refused. */
  readonly probes: number;
}

export interface Seen {
  readonly answers: readonly Answer[];
  readonly arrivals: readonly number[];
  readonly retries: number;
  readonly turns: Turns;
}

export function figuresOf({ answers, arrivals, retries, turns }: Seen): Figures {
  const sent = [...answers].sort((a, b) => a.sentAtMs - b.sentAtMs);
  return {
    clients: sent.length,
    lost: sent.filter((answer) => !isGood(answer)).length,
    degraded: sent.filter((answer) => isGood(answer) && answer.rung !== null).length,
    recoveredAfterMs: recoveredAfterMs(sent, turns),
    offeredPerSecond: mostInOneSecond(sent.map(({ sentAtMs }) => sentAtMs)),
    arrivedPerSecond: mostInOneSecond(arrivals),
    retries,
    probes: countProbes(sent),
  };
}

/** The upstream's answer or one of a rung, in time. */
function isGood({ status, latencyMs }: Answer): boolean {
  return status !== null && status < 500 && latencyMs <= GOOD_WITHIN_MS;
}

function isFresh(answer: Answer): boolean {
  return isGood(answer) && answer.rung === null;
}

/** The first moment from which both the next second and all the rest have full service. */
function recoveredAfterMs(sent: readonly Answer[], { healedAtMs, endedAtMs }: Turns): number | null {
  const after = sent.filter(({ sentAtMs }) => sentAtMs >= healedAtMs);
  const freshFrom = [0];
  for (const answer of after) freshFrom.push((freshFrom.at(-1) ?? 0) + (isFresh(answer) ? 1 : 0));
  const share = (from: number, to: number): number => ((freshFrom[to] ?? 0) - (freshFrom[from] ?? 0)) / (to - from);
  let second = 0;
  for (const [from, { sentAtMs }] of after.entries()) {
    if (sentAtMs > endedAtMs - 1000) return null;
    while (second < after.length && (after[second]?.sentAtMs ?? 0) < sentAtMs + 1000) second++;
    if (share(from, second) >= FULL_SERVICE && share(from, after.length) >= FULL_SERVICE) return sentAtMs - healedAtMs;
  }
  return null;
}

/** Most of these sorted times in any window of one second. */
export function mostInOneSecond(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [to, time] of times.entries()) {
    while ((times[from] ?? time) <= time - 1000) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

function countProbes(sent: readonly Answer[]): number {
  let probes = 0;
  let passed = 0;
  let since = -Infinity;
  let lastRefusal = -Infinity;
  for (const { sentAtMs, reason } of sent) {
    if (reason !== 'open' && reason !== 'disabled') {
      if (sentAtMs - since > ALL_KNOW_MS) passed++;
      continue;
    }
    if (sentAtMs - lastRefusal <= GAP_MS) probes += passed;
    else since = sentAtMs;
    passed = 0;
    lastRefusal = sentAtMs;
  }
  return probes;
}
