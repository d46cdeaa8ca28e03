import { LATENCY_BUCKETS_MS } from '../contract/limits.ts';
import type { Feature, Policy } from '../contract/policy.ts';
import { effectiveMode } from '../domain/feature.ts';

export type Caveat = 'failure-rules-differ' | 'slow-by-buckets' | 'order-not-recorded' | 'feature-is-new' | 'mode-not-enforce';

/** What a reader of a simulation must bear in mind. `before`: the feature as the present policy has it; null: it is new. */
export function caveatsOf(policy: Policy, draft: Feature, before: Feature | null): Caveat[] {
  const caveats: Caveat[] = [];
  if (!before) caveats.push('feature-is-new');
  else if (rulesOf(draft) !== rulesOf(before)) caveats.push('failure-rules-differ');
  if (!hasExactSlow(draft, before)) caveats.push('slow-by-buckets');
  if (draft.breaker.consecutiveFailures > 0) caveats.push('order-not-recorded');
  if (effectiveMode(policy, draft) !== 'enforce') caveats.push('mode-not-enforce');
  return caveats;
}

/** Whether what is slow by the draft is exactly known: recorded so, or told by the bounds of the latency buckets. */
function hasExactSlow({ failure: { slowMs } }: Feature, before: Feature | null): boolean {
  return slowMs === undefined || slowMs === before?.failure.slowMs || LATENCY_BUCKETS_MS.some((bound) => bound === slowMs);
}

function rulesOf({ failure: { slowMs: _, ...rules } }: Feature): string {
  return JSON.stringify(rules);
}
