import { wallMs } from "../abi/clock";
import { decodePairs, encodePairs, HeaderPairs } from "../abi/pairs";
import { RungKind, RungPolicy } from "../domain/policy";
import { isNotModified } from "../domain/preconditions";
import { Feature } from "../proxy/feature";
import { staleCache, StaleCopy } from "../proxy/stale-cache";
import { Answer, give } from "./answer";
import { staleHeaders } from "./degraded-headers";
import { Kept } from "./request-copy";
import { Stream } from "./stream";

const NO_BODY = new Uint8Array(0);

/** Answers with the copy that the workers of this proxy share; false: there is none that may be served. */
export function serveStale(stream: Stream, feature: Feature, rung: RungPolicy, answer: Answer, nowMs: i64): bool {
  if (stream.keyLength == 0) return false;
  const copy = staleCache.find(stream.key, stream.keyLength, nowMs, rung.maxStaleMs);
  if (copy === null) return false;
  serveCopy(stream, feature, copy, answer);
  return true;
}

/** Answers with a copy, wherever it was kept; with 304 when the client has it already. A range is answered by the whole. */
export function serveCopy(stream: Stream, feature: Feature, copy: StaleCopy, answer: Answer): void {
  const headers = staleHeaders(feature.policy.name, stream.reason, copy.ageMs, copy.freshForMs, stream.hasResponse);
  const unmodified = unmodifiedPairs(stream, copy);
  if (unmodified !== null) give(stream, feature, RungKind.Stale, answer, 304, unmodified, headers, NO_BODY);
  else give(stream, feature, RungKind.Stale, answer, copy.status, copy.pairs, headers, copy.body);
}

/** Headers of a 304 in place of the copy; null: the client needs the copy. */
function unmodifiedPairs(stream: Stream, copy: StaleCopy): Uint8Array | null {
  const ifNoneMatch = stream.kept(Kept.IfNoneMatch);
  const ifModifiedSince = stream.kept(Kept.IfModifiedSince);
  if (copy.status < 200 || copy.status > 299 || ifNoneMatch.length + ifModifiedSince.length == 0) return null;
  const stored = decodePairs(copy.pairs);
  if (stored === null) return null;
  if (!isNotModified(ifNoneMatch, ifModifiedSince, valueOf(stored, "etag"), valueOf(stored, "last-modified"), wallMs())) return null;
  const kept = new HeaderPairs();
  for (let i = 0; i < stored.names.length; i++) {
    // What describes a body that does not come (RFC 9110 section 15.4.5).
    if (stored.names[i].startsWith("content-") && stored.names[i] != "content-location") continue;
    kept.add(stored.names[i], stored.values[i]);
  }
  return encodePairs(kept);
}

function valueOf(headers: HeaderPairs, name: string): string {
  const value = headers.get(name);
  return value === null ? "" : value;
}
