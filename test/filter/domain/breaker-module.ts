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
  settle(succeeded: boolean): void;
  endOne(): number;
  rearm(nowMs: bigint): number;
  permit(count: number, step: bigint, untilMs: bigint): void;
  usePermit(nowMs: bigint): number;
  reachesPart(percent: number, succeeded: number, failed: number, slow: number, consecutive: number, judgesSlow: boolean): number;
  trialOf(wanted: number, proxies: number, budget: number, inFlight: number): number;
  setFleet(proxies: number, budget: number): void;
  setJitter(jitter: number): void;
  change(kind: number, epoch: bigint, nowMs: bigint, random: number): number;
  guarded(): number;
  probesInFlight(): number;
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

export const Change = {
  Trip: 0,
  StartTrial: 1,
  TakeProbe: 2,
  ReturnProbe: 3,
  ProbeSucceeded: 4,
  ProbeFailed: 5,
  EndProbe: 6,
  RearmTrial: 7,
  TakePermit: 8,
  Guard: 9,
  Unguard: 10,
} as const;
export const Phase = { Closed: 0, Open: 1, HalfOpen: 2 } as const;
export const State = { Disabled: 0, Testing: 1, Enabled: 2 } as const;
export const Gate = { Pass: 0, Share: 1, Probe: 2, Permit: 3, Refuse: 4 } as const;
export const Refusal = { None: 0, Open: 1, Disabled: 2, Share: 3 } as const;
export const NEVER = -1n;

export const loadBreaker = (): Promise<BreakerExports> => loadFilter<BreakerExports>('domain-breaker');
