import { demand, failurePercent, outcomes } from '../counts.ts';
import { graphOf } from '../dependency-graph.ts';
import { FULL_ADMIT, isRecovering, isSteered } from '../feature.ts';
import type { Reason } from '../model.ts';
import { quorumOf, rounded } from '../quorum.ts';
import type { ProxySample } from '../sample.ts';
import type { RecoveryContext } from './context.ts';
import { dependencyHold } from './gates.ts';
import { acquit } from './moves.ts';
import { doubled } from './partial-recovery-pattern.ts';
import { endRecovery } from './recovery-end.ts';
import { activePause } from './running.ts';

/** A proxy that came back moves to the fleet's share over this time; until then its traffic shows what it did by itself (R3). */
const RETURN_MS = 10_000;
/** Share of the demand in percent that a proxy must let through to count as recovered. */
const RECOVERED_SHARE_PERCENT = 50;

/**
 * Proxies that recovered without the fleet are evidence (R3): where a quorum of those with requests is CLOSED and its window
 * healthy, the flag follows. With the last lowered feature the recovery ends as `recovered-locally`.
 */
export function followLocalRecovery(context: RecoveryContext): void {
  const { draft } = context;
  const isPaused = activePause(draft.state) !== null; // nothing rises (R14)
  for (const name of isPaused ? [] : graphOf(draft.state.policy).order()) {
    if (draft.record(name).state === 'ENABLED' || !isSteered(draft.state, name) || lacksDependency(context, name)) continue;
    const why = recoveredLocally(context, name);
    if (why) raise(context, name, why);
  }
  const isOver = !draft.names().some((name) => isSteered(draft.state, name) && draft.record(name).state !== 'ENABLED');
  if (!isOver) return;
  if (raised(context)) endRecovery(draft, 'recovered-locally', { because: 'recovered-locally' });
  draft.patchService({ released: false });
}

/** A dependency need not have settled: the dependants' own traffic shows that it carries them. */
function lacksDependency(context: RecoveryContext, name: string): boolean {
  const hold = dependencyHold(context, name);
  return hold !== null && hold.because !== 'dependency-settling';
}

/** Whether the last lowered feature came back in this very tick without the fleet. */
function raised({ draft }: RecoveryContext): boolean {
  return draft
    .names()
    .some((name) => draft.record(name).sinceMs === draft.nowMs && draft.record(name).reason.because === 'recovered-locally');
}

function recoveredLocally(context: RecoveryContext, name: string): Reason | null {
  const sample = context.sampleOf(name);
  const { minimumRequests, degradedPercent } = context.feature(name).health;
  const asked = sample.proxies.filter((each) => demand(each.feature.window) > 0);
  const healthy = asked.filter((each) => hasRecovered(each, minimumRequests, degradedPercent));
  const needed = quorumOf(asked.length); // a proxy without requests can neither agree nor object
  if (healthy.length < needed) return null;
  return {
    because: 'recovered-locally',
    numbers: { proxies: healthy.length, needed, failedPercent: rounded(failurePercent(sample.window)) },
  };
}

function hasRecovered({ proxy, feature }: ProxySample, minimumRequests: number, degradedPercent: number): boolean {
  if (proxy.ungovernedAgeMs === null || proxy.ungovernedAgeMs > RETURN_MS || feature.phase !== 'CLOSED') return false;
  const { window } = feature;
  const sharePercent = (100 * window.admitted) / Math.max(1, window.admitted + window.refused);
  return outcomes(window) >= minimumRequests && failurePercent(window) < degradedPercent && sharePercent >= RECOVERED_SHARE_PERCENT;
}

function raise(context: RecoveryContext, name: string, why: Reason): void {
  const { draft } = context;
  const record = draft.record(name);
  const { stableMs } = context.situation(name);
  const recovery =
    record.recovery && isRecovering(record)
      ? ({ ...record.recovery, phase: 'done', settleMs: doubled(stableMs, record.recovery.refailures), stableMs, reason: why } as const)
      : record.recovery;
  draft.flag(name, 'recovered-locally', { state: 'ENABLED', admit: FULL_ADMIT, recovery, recoveredAtMs: draft.nowMs }, why);
  acquit(context, name);
  draft.event('recovered-locally', why, name);
}
