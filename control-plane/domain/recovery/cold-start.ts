import type { Evidence, Reason, ServiceState, StepResult } from '../model.ts';
/** null: the ticker may act; else why it waits (R16). `startedAtMs`: when this process became the leader. */
export function coldStartHold(_state: ServiceState, _evidence: Evidence, _startedAtMs: number, _now: number): Reason | null {
  throw new Error('coming');
}
/** Once, when coldStartHold() first answers null: the present windows start anew, overdue attempts get jitter. */
export function resume(_state: ServiceState, _now: number, _random: () => number): StepResult {
  throw new Error('coming');
}
