import type { Refusal, ServiceState, StepResult } from '../model.ts';
export interface Author {
  readonly who: string;
  readonly why: string;
}
export function startRecovery(_state: ServiceState, _author: Author, _now: number, _random: () => number): StepResult | Refusal {
  throw new Error('coming');
}
export function abortRecovery(_state: ServiceState, _author: Author, _now: number): StepResult | Refusal {
  throw new Error('coming');
}
