import type { ASUtil } from '@assemblyscript/loader';
import { loadFilter } from '../compile.ts';
import { withStrings } from './strings.ts';

interface StorabilityExports {
  candidateOf(method: number, status: number, authorized: boolean, cookied: boolean, ranged: boolean, requestCacheControl: number): void;
  addHeader(name: number, value: number): void;
  addVaryHeader(name: number): void;
  setTimes(receivedMs: bigint, delayMs: bigint): void;
  judge(): void;
  storable(): number;
  because(): number;
  ageMs(): bigint;
  freshForMs(): bigint;
  staleIfErrorMs(): bigint;
  mayServeStale(): number;
  isHopByHop(name: number, connection: number): number;
  hasToken(list: number, token: number): number;
  servable(ageMs: bigint, freshForMs: bigint, staleIfErrorMs: bigint, mayServeStale: boolean, maxStaleMs: bigint): number;
}

export type Headers = [name: string, value: string][];

export interface Candidate {
  method: string;
  status: number;
  authorized: boolean;
  cookied: boolean;
  ranged: boolean;
  requestCacheControl: string;
  varyHeaders: string[];
  headers: Headers;
  receivedMs: number;
  delayMs: number;
}

export interface Verdict {
  storable: boolean;
  because: string;
  age: number;
  fresh: number;
  /** -1: not given. */
  staleIfError: number;
  stale: boolean;
}

export type StorabilityModule = ASUtil & StorabilityExports;

export const loadStorability = () => loadFilter<StorabilityExports>('domain-storability');

export const NOON = Date.UTC(2026, 5, 1, 12, 0, 0);
export const at = (seconds: number) => new Date(NOON + seconds * 1000).toUTCString();

const defaults: Candidate = {
  method: 'GET',
  status: 200,
  authorized: false,
  cookied: false,
  ranged: false,
  requestCacheControl: '',
  varyHeaders: ['accept-language'],
  headers: [],
  receivedMs: NOON,
  delayMs: 0,
};

/** Times of the verdict are in seconds. */
export function judge(filter: StorabilityModule, given: Partial<Candidate>): Verdict {
  const all = { ...defaults, ...given };
  withStrings(filter, (put) => {
    filter.candidateOf(put(all.method), all.status, all.authorized, all.cookied, all.ranged, put(all.requestCacheControl));
    for (const name of all.varyHeaders) filter.addVaryHeader(put(name));
    for (const [name, value] of all.headers) filter.addHeader(put(name), put(value));
  });
  filter.setTimes(BigInt(all.receivedMs), BigInt(all.delayMs));
  filter.judge();
  return {
    storable: filter.storable() !== 0,
    because: filter.__getString(filter.because()),
    age: Number(filter.ageMs()) / 1000,
    fresh: Number(filter.freshForMs()) / 1000,
    staleIfError: filter.staleIfErrorMs() < 0n ? -1 : Number(filter.staleIfErrorMs()) / 1000,
    stale: filter.mayServeStale() !== 0,
  };
}

export const control = (...values: string[]): Headers => values.map((value) => ['cache-control', value]);
