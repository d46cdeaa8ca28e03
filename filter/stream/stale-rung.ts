import { HeaderPairs } from "../abi/pairs";
import { RungKind, RungPolicy } from "../domain/policy";
import { Feature } from "../proxy/feature";
import { staleCache, StaleCopy } from "../proxy/stale-cache";
import { Answer, give } from "./answer";
import { addStaleHeaders } from "./degraded-headers";
import { Stream } from "./stream";

/** Answers with the copy that the workers of this proxy share; false: there is none that may be served. */
export function serveStale(stream: Stream, feature: Feature, rung: RungPolicy, answer: Answer, nowMs: i64): bool {
  if (stream.keyLength == 0) return false;
  const copy = staleCache.find(stream.key, stream.keyLength, nowMs, rung.maxStaleMs);
  if (copy === null) return false;
  serveCopy(stream, feature, copy, answer);
  return true;
}

/** Answers with a copy, wherever it was kept. */
export function serveCopy(stream: Stream, feature: Feature, copy: StaleCopy, answer: Answer): void {
  const headers = new HeaderPairs();
  addStaleHeaders(headers, copy.ageMs, copy.freshForMs);
  give(stream, feature, RungKind.Stale, answer, copy.status, copy.pairs, headers, copy.body);
}
