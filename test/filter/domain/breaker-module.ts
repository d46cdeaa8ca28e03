import { loadFilter } from '../compile.ts';

/** `filter/domain/breaker` and `admission` over one record, see `test/filter/exports/domain-breaker.ts`. */
export interface BreakerExports {
  create(probes: number, successPercent: number, openMs: bigint, openCapMs: bigint, rampMs: bigint, resetAfterMs: bigint): void;
  setFlag(step: bigint, state: number, admit: number, byPerson: boolean, expiresAtMs: bigint): void;
  tick(governed: boolean, nowMs: bigint): number;
  tripNow(nowMs: bigint, random: number): void;
  startTrial(): void;
  closeNow(nowMs: bigint, fromAdmit: number): void;
  probe(nowMs: bigint): number;
  giveBack(): void;
  settle(succeeded: boolean): number;
  rearm(nowMs: bigint): number;
  permit(count: number, step: bigint, untilMs: bigint): void;
  usePermit(nowMs: bigint): number;
  judges(succeeded: number, failed: number, slow: number, consecutive: number, judgesSlow: boolean): number;
  admitted(nowMs: bigint): number;
  phase(): number;
  epoch(): bigint;
  waitMs(): bigint;
  gate(): number;
  admit(): number;
  refusal(): number;
  judged(): number;
  mayHalfOpen(): number;
}

export const Phase = { Closed: 0, Open: 1, HalfOpen: 2 } as const;
export const State = { Disabled: 0, Testing: 1, Enabled: 2 } as const;
export const Gate = { Pass: 0, Share: 1, Probe: 2, Permit: 3, Refuse: 4 } as const;
export const Refusal = { None: 0, Open: 1, Disabled: 2, Share: 3 } as const;
export const NEVER = -1n;

export const loadBreaker = (): Promise<BreakerExports> => loadFilter<BreakerExports>('domain-breaker');
