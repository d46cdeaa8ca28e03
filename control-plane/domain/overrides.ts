import type { Override, Refusal, ServiceState, StepResult } from './model.ts';
export function setOverride(_state: ServiceState, _feature: string, _override: Override, _now: number): StepResult | Refusal {
  throw new Error('coming');
}
export function clearOverride(
  _state: ServiceState,
  _feature: string,
  _who: string,
  _why: string,
  _now: number,
  _random: () => number,
): StepResult | Refusal {
  throw new Error('coming');
}
