import { currentAgeMs, initialAgeMs, servable } from "../../../filter/domain/freshness";
import { hasToken } from "../../../filter/domain/header-list";
import { httpDateMs } from "../../../filter/domain/http-date";
import { isHopByHop, judgeStorability, Storability, StoreCandidate } from "../../../filter/domain/storability";

export { currentAgeMs, hasToken, httpDateMs, initialAgeMs, isHopByHop, servable };

let candidate: StoreCandidate = new StoreCandidate();
let result: Storability = new Storability(false, "");

export function candidateOf(
  method: string,
  status: i32,
  authorized: bool,
  cookied: bool,
  ranged: bool,
  requestCacheControl: string,
): void {
  candidate = new StoreCandidate();
  candidate.method = method;
  candidate.status = status;
  candidate.authorized = authorized;
  candidate.cookied = cookied;
  candidate.ranged = ranged;
  candidate.requestCacheControl = requestCacheControl;
}

export function addHeader(name: string, value: string): void {
  candidate.names.push(name);
  candidate.values.push(value);
}

export function addVaryHeader(name: string): void {
  candidate.varyHeaders.push(name);
}

export function setTimes(receivedMs: i64, delayMs: i64): void {
  candidate.receivedMs = receivedMs;
  candidate.delayMs = delayMs;
}

export function judge(): void {
  result = judgeStorability(candidate);
}

export function storable(): bool {
  return result.storable;
}

export function because(): string {
  return result.because;
}

export function ageMs(): i64 {
  return result.ageMs;
}

export function freshForMs(): i64 {
  return result.freshForMs;
}

export function staleIfErrorMs(): i64 {
  return result.staleIfErrorMs;
}

export function mayServeStale(): bool {
  return result.mayServeStale;
}
