import { livelyFeatures } from '../at-rest.ts';
import { featuresOf, isActing, isSteered } from '../feature.ts';
import { type HealthVerdict, judgeHealth } from '../health.ts';
import type { Evidence, FeatureRecord, ServiceState, StepResult } from '../model.ts';
import { expireOverrides } from '../overrides.ts';
import { fleetOpens, type QuorumVerdict } from '../quorum.ts';
import { shownByFeature } from '../sample.ts';
import { advise } from './advice.ts';
import { RecoveryContext, type Surroundings } from './context.ts';
import { Draft } from './draft.ts';
import { followLocalRecovery } from './local-recovery.ts';
import { PartialRecoveryManager } from './partial-recovery-manager.ts';
import { expirePause } from './pause.ts';
import { endIfOver, forgetOldOutages } from './recovery-end.ts';
import { BUILT_IN_PATTERNS } from './registry.ts';
import { isRunning } from './running.ts';

/**
 * One tick of one service, and the only place where the fleet decides: judges health, opens by quorum, carries the recovery on.
 * Pure: the same state, evidence, time (epoch ms) and random numbers give the same result. `state` is the very input when nothing changed.
 */
export function step(
  state: ServiceState,
  evidence: Evidence,
  now: number,
  random: () => number,
  surroundings: Partial<Surroundings> = {},
): StepResult {
  const draft = new Draft(state, now);
  const isCalm = livelyFeatures(state).size === 0 && !state.released && !isRunning(state); // as nearly always
  if (!isCalm) {
    expireOverrides(draft);
    expirePause(draft);
  }
  rememberNodes(draft, evidence);
  const around: Surroundings = { patterns: BUILT_IN_PATTERNS, rampingElsewhere: [], ...surroundings, random };
  const context = new RecoveryContext(draft, evidence, around);
  const verdicts = judge(context, livelyFeatures(state), shownByFeature(evidence));
  if (!isCalm) followLocalRecovery(context);
  advise(context, verdicts);
  const opens = [...verdicts.values()].some(({ open }) => open);
  if (isActing(state.policy) && (opens || !isCalm)) recover(context, verdicts);
  if (!isCalm) forgetOldOutages(draft);
  draft.suspect(Object.fromEntries(context.suspects));
  return draft.finish();
}

/** Priorities of the features that ramp right now, for the other services of the same upstream group (R8). */
export function rampingPriorities(state: ServiceState): number[] {
  const features = featuresOf(state.policy);
  return [...livelyFeatures(state)]
    .filter((name) => isSteered(state, name) && isOnItsWay(state.features[name]))
    .flatMap((name) => features.get(name)?.priority ?? []);
}

/** Ramping, and neither without requests nor held by a dependency: such a one could keep others waiting for ever. */
function isOnItsWay(record: FeatureRecord | undefined): boolean {
  if (record?.recovery?.phase !== 'ramping') return false;
  const { because } = record.recovery.reason;
  return because !== 'no-traffic' && !because.startsWith('dependency-');
}

function rememberNodes(draft: Draft, evidence: Evidence): void {
  const nodes = evidence.proxies.map((proxy) => proxy.node).sort();
  const known = draft.state.nodes;
  const isSame = nodes.length === known.length && nodes.every((node, index) => node === known[index]);
  if (nodes.length > 0 && !isSame) draft.patchService({ nodes });
}

/** Judges what proxies tell of, and what must not go unseen when they tell nothing; the others are as they were. */
function judge(
  context: RecoveryContext,
  lively: ReadonlySet<string>,
  shown: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, QuorumVerdict> {
  const { draft } = context;
  const verdicts = new Map<string, QuorumVerdict>();
  for (const { name } of draft.state.policy.features) {
    if (!lively.has(name) && !shown.has(name)) continue;
    const feature = context.feature(name);
    const sample = context.sampleOf(name);
    const quorum = fleetOpens(sample, feature);
    verdicts.set(name, quorum);
    if (quorum.suspects.length > 0) context.suspects.set(name, quorum.suspects);
    writeHealth(context, name, judgeHealth(draft.record(name), feature, sample, quorum, draft.nowMs));
  }
  return verdicts;
}

/** The judgement is stored when the health changes, or when a bad one begins or ceases to be kept; the figures are for whoever asks. */
function writeHealth({ draft }: RecoveryContext, name: string, verdict: HealthVerdict): void {
  const record = draft.record(name);
  draft.explain(name, { health: verdict.reason });
  const { health, reason: healthReason } = verdict;
  if (health !== record.health) {
    draft.patch(name, { health, healthSinceMs: draft.nowMs, healthReason, healthKeptSinceMs: verdict.keptSinceMs });
    draft.event('health', { ...healthReason, numbers: { ...healthReason.numbers, from: record.health, to: health } }, name);
  } else if (health !== 'HEALTHY' && (verdict.keptSinceMs === null) !== (record.healthKeptSinceMs === null)) {
    // While it is kept, what first led to it remains the reason that is stored.
    draft.patch(
      name,
      verdict.keptSinceMs === null ? { healthReason, healthKeptSinceMs: null } : { healthKeptSinceMs: verdict.keptSinceMs },
    );
  }
}

function recover(context: RecoveryContext, verdicts: ReadonlyMap<string, QuorumVerdict>): void {
  const { draft } = context;
  const manager = new PartialRecoveryManager(context);
  const opened = [...verdicts].filter(([name, { open }]) => open && isSteered(draft.state, name) && draft.record(name).state === 'ENABLED');
  if (opened.length > 0 || !draft.state.released) manager.takeIn('fleet', { because: 'lowered' });
  if (opened.length > 0) manager.openFeatures(new Map(opened.map(([name, { reason }]) => [name, reason])));
  if (!isRunning(draft.state)) return;
  manager.advance();
  endIfOver(draft);
}
