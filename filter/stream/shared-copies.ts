import { HeaderPairs, statusOf } from "../abi/pairs";
import { monotonicMs } from "../abi/clock";
import { RungPolicy } from "../domain/policy";
import { copyOutbox, OutgoingCopy } from "../proxy/copy-outbox";
import { controlPlaneHeaders, secondsMs } from "../proxy/endpoint";
import { Feature, KEY_BYTES } from "../proxy/feature";
import { wireKey } from "../proxy/shared-copy";
import { staleCache, StaleCopy } from "../proxy/stale-cache";
import { copyBytes } from "../abi/memory";
import { Answer } from "./answer";
import { CallOut, callOuts } from "./call-out";
import { serveCopy } from "./stale-rung";
import { Stream } from "./stream";

/** A copy is shared at most once in this time, however often it is renewed here. */
const SHARE_EVERY_MS: i64 = 30_000;
/** A copy that the others do not have is not asked for again for so long. */
const MISS_MS: i64 = 5000;
/** Nor is any, when nobody answered. */
const FAILED_MS: i64 = 1000;
/** Keys whose misses this VM remembers. */
const REMEMBERED: i32 = 256;

const missed: StaticArray<u64> = new StaticArray<u64>(REMEMBERED);
const missedUntil: StaticArray<i64> = new StaticArray<i64>(REMEMBERED);
let failedUntil: i64 = 0;

/** Puts a copy that was renewed just now into the outbox, unless it was shared a short time ago. */
export function shareWhenDue(stream: Stream, slot: i32, nowMs: i64): void {
  const settings = stream.settings;
  const service = stream.service;
  const feature = stream.feature;
  if (settings === null || service === null || feature === null || !settings.cacheShared) return;
  const stale = feature.stale;
  if (stale === null) return;
  const content = staleCache.claimSharing(slot, nowMs, max(SHARE_EVERY_MS, stale.refreshMs));
  if (content == 0) return;
  copyOutbox.put(new OutgoingCopy(service.name, wireKey(stream.key, stream.keyLength), slot, content, stale.maxStaleMs));
}

/** Asks for a copy that another proxy of the service has shared, while the stream waits; false: nobody is asked. */
export function askForCopy(stream: Stream, feature: Feature, rung: RungPolicy): bool {
  const settings = stream.settings;
  const service = stream.service;
  if (settings === null || service === null || stream.keyLength == 0 || !settings.cacheShared) return false;
  const to = settings.controlPlane;
  if (to === null) return false;
  const nowMs = monotonicMs();
  const hash = staleCache.hash(stream.key, stream.keyLength);
  const place = <i32>(hash % REMEMBERED);
  if (nowMs < failedUntil || (missed[place] == hash && nowMs < missedUntil[place])) return false;
  const path = "/v1/services/" + service.name + "/cache/" + wireKey(stream.key, stream.keyLength);
  const call = new CopyCall(feature, to.cluster, controlPlaneHeaders(to, "GET", path));
  call.keyLength = stream.keyLength;
  copyBytes(call.key, stream.key, stream.keyLength);
  call.maxStaleMs = rung.maxStaleMs;
  call.askedAtMs = nowMs;
  return callOuts.wait(stream, call, rung.timeoutMs);
}

/** A question for a shared copy. */
class CopyCall extends CallOut {
  readonly key: StaticArray<u8> = new StaticArray<u8>(KEY_BYTES.length);
  keyLength: i32 = 0;
  maxStaleMs: i64 = 0;
  askedAtMs: i64 = 0;
  private copy: StaleCopy | null = null;

  take(headers: HeaderPairs | null, body: Uint8Array | null, nowMs: i64): void {
    const status = statusOf(headers);
    const ageMs = secondsMs(headers, "age");
    // Without an age nobody can tell how old it is.
    if (status == 200 && body !== null && ageMs >= 0) {
      this.copy = staleCache.take(body, this.key, this.keyLength, ageMs + nowMs - this.askedAtMs, nowMs, this.maxStaleMs);
    } else if (status != 404) {
      failedUntil = nowMs + FAILED_MS;
    }
    if (this.copy !== null) {
      this.feature.metrics.countStored(staleCache.hasEvicted(this.maxStaleMs));
      return;
    }
    const hash = staleCache.hash(this.key, this.keyLength);
    const place = <i32>(hash % REMEMBERED);
    missed[place] = hash;
    missedUntil[place] = nowMs + MISS_MS;
  }

  answer(stream: Stream): bool {
    const copy = this.copy;
    if (copy === null) return false;
    serveCopy(stream, this.feature, copy, Answer.Reply);
    return true;
  }
}
