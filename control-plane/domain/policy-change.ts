import type { Policy } from '../contract/policy.ts';
import type { Refusal, ServiceState, StepResult } from './model.ts';
export interface PolicyChange {
  /** Drop features though they recover or are overridden. */ readonly force?: boolean /** Of a new service: the revision before its first one (a tombstone's), default 0. */;
  readonly afterRevision?: number;
}
export function applyPolicy(_state: ServiceState | null, _policy: Policy, _now: number, _change: PolicyChange = {}): StepResult | Refusal {
  throw new Error('coming');
}
