import type { Recovery, TimelineEntry } from '../../control-plane/domain/model.ts';
import { type Answer, isUnanswered } from './load.ts';
import { type Sample, sumIn } from './prometheus.ts';
import { FEATURES, type ShopFeature } from './shop-mode.ts';

/** Turns of the course, in monotonic ms. */
export interface Turns {
  readonly failedAtMs: number;
  /** All features known to be DISABLED by the fleet, at the proxy. */
  readonly openedAtMs: number;
  readonly healedAtMs: number;
  /** All features known to be ENABLED, at the proxy. */
  readonly recoveredAtMs: number;
}

/** What a played outage left behind. */
export interface OutageEvidence extends Turns {
  readonly answers: readonly Answer[];
  readonly arrivals: readonly { readonly feature: ShopFeature; readonly atMs: number }[];
  readonly samples: readonly Sample[];
  readonly recovery: Recovery | null;
  /** Log lines that tell of a trap of the filter. */
  readonly traps: readonly string[];
}

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
}

/** Rungs that the shop's policy gives each feature. */
const rungsOf: Readonly<Record<ShopFeature, readonly string[]>> = {
  catalog: ['stale', 'static'],
  checkout: ['static'],
  recommendations: ['cluster', 'static'],
};
/** Probes that policy.yaml lets be in flight, and successes that an attempt needs. */
const probesPerAttempt = 3;
/** A request that was under way when the shop healed may still end as it would have before. */
const afterglowMs = 1000;

/** Holds what clients saw, what the shop counted and what the stats say against the course that an outage should take. */
export function checkOutage(evidence: OutageEvidence): Check[] {
  return [
    healthyBefore(evidence),
    noErrors(evidence),
    ...FEATURES.map((feature) => standsIn(feature, evidence)),
    tripsAtOnce(evidence),
    onlyProbes(evidence),
    noHarmByRecovery(evidence),
    healthyAfter(evidence),
    ...statsAgree(evidence),
    growingDelays(evidence),
    orderOfReturn(evidence),
    recovered(evidence),
    check('the filter never traps', evidence.traps.length === 0, evidence.traps[0] ?? 'no trap in the log'),
  ];
}

function healthyBefore({ answers, failedAtMs }: OutageEvidence): Check {
  const before = answers.filter(({ sentAtMs, latencyMs }) => sentAtMs + latencyMs < failedAtMs);
  const odd = before.filter((answer) => answer.rung !== null || answer.status !== 200);
  return check(
    'before the outage the shop answers everything',
    before.length > 100 && odd.length === 0,
    `${odd.length} of ${before.length} otherwise`,
  );
}

function noErrors({ answers }: OutageEvidence): Check {
  const errors = answers.filter(isUnanswered);
  return check('no client sees an error, at any time', errors.length === 0, `${errors.length} of ${answers.length}${firstOf(errors)}`);
}

function standsIn(feature: ShopFeature, { answers, openedAtMs, healedAtMs }: OutageEvidence): Check {
  const during = answers.filter((answer) => answer.feature === feature && answer.sentAtMs > openedAtMs && answer.sentAtMs < healedAtMs);
  const stoodIn = during.filter(({ rung }) => rung !== null && rungsOf[feature].includes(rung));
  const used = [...new Set(stoodIn.map(({ rung }) => rung))].join(', ');
  const passed = during.length > 0 && stoodIn.length === during.length;
  return check(`while it is DISABLED, ${feature} is answered by its rungs`, passed, `${stoodIn.length} of ${during.length} (${used})`);
}

function tripsAtOnce({ answers, failedAtMs }: OutageEvidence): Check {
  const first = answers.find(({ feature, reason, sentAtMs }) => feature === 'catalog' && reason === 'open' && sentAtMs >= failedAtMs);
  const tookMs = first === undefined ? Number.POSITIVE_INFINITY : first.sentAtMs - failedAtMs;
  return check('the proxy trips catalog by itself within 2 s', tookMs <= 2000, `first refusal after ${tookMs.toFixed(0)} ms`);
}

function onlyProbes({ arrivals, recovery, openedAtMs, healedAtMs }: OutageEvidence): Check {
  const arrived = arrivals.filter(({ feature, atMs }) => feature === 'catalog' && atMs > openedAtMs && atMs < healedAtMs).length;
  const attempts = attemptsOf(recovery).length;
  const passed = arrived > 0 && arrived <= attempts * probesPerAttempt;
  return check(
    'while catalog is DISABLED only probes reach it',
    passed,
    `${arrived} arrivals, ${attempts} attempts of up to ${probesPerAttempt}`,
  );
}

function noHarmByRecovery({ answers, healedAtMs }: OutageEvidence): Check {
  const harmed = answers.filter(({ sentAtMs, reason }) => sentAtMs > healedAtMs + afterglowMs && reason !== null && isFailure(reason));
  return check('after the shop healed no request fails', harmed.length === 0, `${harmed.length} failures${firstOf(harmed)}`);
}

function healthyAfter({ answers, recoveredAtMs }: OutageEvidence): Check {
  const after = answers.filter(({ sentAtMs }) => sentAtMs > recoveredAtMs);
  const odd = after.filter((answer) => answer.rung !== null || answer.status !== 200);
  return check(
    'once all is ENABLED the shop answers everything',
    after.length > 50 && odd.length === 0,
    `${odd.length} of ${after.length} otherwise`,
  );
}

/** Envoy's counters against the clients' own, feature by feature and rung by rung. */
function statsAgree({ answers, samples }: OutageEvidence): Check[] {
  const trips = sumIn(samples, 'rekindle_transitions_total', { feature: 'catalog', to: 'OPEN' });
  const byRung = FEATURES.flatMap((feature) =>
    rungsOf[feature].map((rung) => {
      const seen = answers.filter((answer) => answer.feature === feature && answer.rung === rung).length;
      const counted = sumIn(samples, 'rekindle_degraded_total', { service: 'shop', feature, rung });
      return { what: `${feature}/${rung} ${counted}`, agrees: seen === counted };
    }),
  );
  return [
    check(
      'Envoy counts the degraded answers that the clients saw',
      byRung.every(({ agrees }) => agrees),
      byRung.map(({ what, agrees }) => (agrees ? what : `${what} (differs)`)).join(', '),
    ),
    check('Envoy counts the trip of catalog', trips >= 1, `${trips} transitions to OPEN`),
  ];
}

/** With jitter `equal` each delay lies between half and all of its doubled base, so below the cap none is shorter than the one before. */
function growingDelays({ recovery }: OutageEvidence): Check {
  const waits = attemptsOf(recovery).map(({ reason }) => Number(reason.numbers?.['afterMs']));
  const belowCap = waits.slice(0, 4);
  const grows = belowCap.every((wait, index) => wait >= (belowCap[index - 1] ?? 0));
  const isJittered = belowCap.some((wait) => wait % 250 !== 0);
  const passed = waits.length >= 3 && grows && isJittered;
  return check('catalog is probed with growing, jittered delays', passed, waits.map((wait) => `${Math.round(wait)} ms`).join(', '));
}

function orderOfReturn({ recovery }: OutageEvidence): Check {
  const order = (recovery?.timeline ?? []).filter(({ event }) => event === 'enabled').map(({ feature }) => feature);
  return check('features return in order of priority', order.join() === FEATURES.join(), order.join(', '));
}

function recovered({ recovery }: OutageEvidence): Check {
  return check('the recovery ends as recovered', recovery?.result === 'recovered', String(recovery?.result));
}

/** Attempts to probe catalog. */
export function attemptsOf(recovery: Recovery | null): readonly TimelineEntry[] {
  return (recovery?.timeline ?? []).filter(({ feature, event }) => feature === 'catalog' && event === 'probe-attempt');
}

function isFailure(reason: string): boolean {
  return reason === 'failure' || reason === 'timeout' || reason === 'connect';
}

function firstOf(answers: readonly Answer[]): string {
  const [first] = answers;
  return first === undefined ? '' : `, the first: ${first.feature}, status ${first.status}, reason ${first.reason}`;
}

function check(name: string, passed: boolean, detail: string): Check {
  return { name, passed, detail };
}
