import type { Evidence, ServiceState, StepResult } from '../model.ts';
export function step(_state: ServiceState, _evidence: Evidence, _now: number, _random: () => number): StepResult {
  throw new Error('coming');
}
