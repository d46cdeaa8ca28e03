import { instantiateSync } from '@assemblyscript/loader';
import { BREAKER_WASM } from './breaker-wasm.gen.ts';

/** What the compiled module offers; see filter/what-if.ts. */
export interface FilterBreaker {
  begin(
    windowMs: number,
    buckets: number,
    minimumRequests: number,
    failureRatePercent: number,
    slowRatePercent: number,
    consecutiveFailures: number,
    judgesSlow: boolean,
  ): void;
  /** 1: one of these outcomes tripped. */
  record(count: number, failed: boolean, slow: boolean): number;
  /** 1: the window as it is trips. */
  judge(): number;
  /** When the passing of time tripped; -1: it did not. */
  elapse(untilMs: number): number;
  /** Lets time pass without judging. */
  pass(untilMs: number): void;
  forget(nowMs: number): void;
  succeeded(): number;
  failed(): number;
  slow(): number;
  consecutiveFailures(): number;
}

/** A breaker of the filter, as the filter runs it. Its memory only grows, by some hundred bytes with each `begin`: it serves one simulation. */
export function newFilterBreaker(): FilterBreaker {
  return instantiateSync<FilterBreaker & Record<string, unknown>>(Buffer.from(BREAKER_WASM, 'base64')).exports;
}
