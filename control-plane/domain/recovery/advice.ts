import { isActing, isSteered } from '../feature.ts';
import type { QuorumVerdict } from '../quorum.ts';
import type { RecoveryContext } from './context.ts';

/** Where the fleet only watches (autopilot, scope, shadow) it says what it would do, and when it would no longer. */
export function advise({ draft }: RecoveryContext, verdicts: ReadonlyMap<string, QuorumVerdict>): void {
  const { policy } = draft.state;
  const how = { autopilot: policy.autopilot, scope: policy.recovery.scope };
  for (const [name, verdict] of verdicts) {
    const record = draft.record(name);
    if (record.override || (isActing(policy) && isSteered(draft.state, name))) continue;
    const wouldOpen = verdict.open && record.state === 'ENABLED';
    if (wouldOpen === (record.reason.because === 'would-open')) continue;
    const because = wouldOpen ? 'would-open' : 'would-stay';
    const reason = { because, numbers: { ...verdict.reason.numbers, ...how, verdict: verdict.reason.because } };
    draft.patch(name, { reason });
    draft.event(because, reason, name);
  }
}
