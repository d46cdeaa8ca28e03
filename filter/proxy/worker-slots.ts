import { createWords, MISSING, readLargeWords, readWordCount, readWords, writeWords } from "../abi/shared-data";
import { Count, COUNTER_WORDS, Counters } from "./counters";
import { Feature } from "./feature";
import { serviceKey } from "./keys";

/** More VMs than this in one proxy publish nothing; their traffic still passes and trips on their own windows. */
const SLOTS: i32 = 64;
const SLOT_LEASE_MS: i64 = 3000;
const RENEW_MS: i64 = 1000;
const KIND: i64 = 0x724b536c6f743031;
/** [kind, owner, expiresAtMs, features] */
const HEAD: i32 = 4;
/** [name hash, step, epoch, window succeeded, failed, slow] and the counters. */
const ENTRY: i32 = 6 + COUNTER_WORDS;
const MAX_BYTES: i32 = (HEAD + 512 * ENTRY) * 8;

/**
 * Where each VM of the proxy publishes what it counted, so that the leader can report the proxy's sums and trip on the proxy's
 * window. A slot is a lease: totals in an expired one are ignored, and any VM may take it over.
 */
export class WorkerSlots {
  private readonly keys: ArrayBuffer[] = [];
  private mine: i32 = -1;
  private expiresAtMs: i64 = 0;
  private words: StaticArray<i64> = new StaticArray<i64>(HEAD + 8 * ENTRY);
  private readonly head: StaticArray<i64> = new StaticArray<i64>(8192);

  constructor(
    service: string,
    private readonly owner: i64,
  ) {
    for (let i = 0; i < SLOTS; i++) this.keys.push(serviceKey(service, "slot:" + i.toString()));
  }

  /** Publishes what changed, at least once a second. */
  publish(features: Feature[], nowMs: i64): void {
    let dirty = nowMs >= this.expiresAtMs - SLOT_LEASE_MS + RENEW_MS;
    for (let i = 0; i < features.length && !dirty; i++) dirty = features[i].counters.dirty;
    if (!dirty || (this.mine < 0 && !this.claim(nowMs))) return;
    let stillMine = readWords(this.keys[this.mine], this.head) != MISSING;
    stillMine = stillMine && (readWordCount() < 0 || this.head[1] == this.owner);
    if (!stillMine) {
      this.mine = -1;
      return;
    }
    const count = this.fill(features, nowMs);
    if (writeWords(this.keys[this.mine], this.words, count, 0)) this.expiresAtMs = nowMs + SLOT_LEASE_MS;
  }

  private claim(nowMs: i64): bool {
    const words = this.words;
    for (let i = 0; i < SLOTS; i++) {
      const cas = readWords(this.keys[i], this.head);
      if (cas != MISSING && this.isTaken(i, nowMs)) continue;
      words[0] = KIND;
      words[1] = this.owner;
      words[2] = nowMs + SLOT_LEASE_MS;
      words[3] = 0;
      const won = cas == MISSING ? createWords(this.keys[i], words, HEAD) : writeWords(this.keys[i], words, HEAD, cas);
      if (won) {
        this.mine = i;
        return true;
      }
    }
    return false;
  }

  /** Whether the slot that was just read into `head` is somebody's; one too large for that is read as a whole. */
  private isTaken(slot: i32, nowMs: i64): bool {
    const count = readWordCount();
    if (count >= 0) return count >= HEAD && this.head[0] == KIND && nowMs < this.head[2];
    const words = readLargeWords(this.keys[slot], MAX_BYTES);
    return words !== null && words.length >= HEAD && words[0] == KIND && nowMs < words[2];
  }

  private fill(features: Feature[], nowMs: i64): i32 {
    if (this.words.length < HEAD + features.length * ENTRY) this.words = new StaticArray<i64>(HEAD + features.length * ENTRY);
    const words = this.words;
    let at = HEAD;
    let entries = 0;
    for (let i = 0; i < features.length; i++) {
      const feature = features[i];
      feature.counters.dirty = false;
      if (feature.counters.get(Count.Admitted) == 0 && feature.counters.get(Count.Refused) == 0) continue;
      feature.breaker.window.advance(nowMs);
      words[at] = feature.hash;
      words[at + 1] = feature.counters.step;
      words[at + 2] = feature.breaker.windowEpoch;
      words[at + 3] = feature.breaker.window.succeeded;
      words[at + 4] = feature.breaker.window.failed;
      words[at + 5] = feature.breaker.window.slow;
      for (let w = 0; w < COUNTER_WORDS; w++) words[at + 6 + w] = feature.counters.words[w];
      at += ENTRY;
      entries++;
    }
    words[0] = KIND;
    words[1] = this.owner;
    words[2] = nowMs + SLOT_LEASE_MS;
    words[3] = entries;
    return at;
  }

  /** Sums all live slots into each feature's `total` and `sum…` fields. */
  sum(features: Feature[], nowMs: i64): void {
    for (let i = 0; i < features.length; i++) features[i].clearSums();
    for (let slot = 0; slot < SLOTS; slot++) {
      const words = readLargeWords(this.keys[slot], MAX_BYTES);
      if (words === null) continue;
      if (words.length < HEAD || words[0] != KIND || nowMs >= words[2]) continue;
      // The count may be any number: the slot may be written by a foreign hand.
      const entries = <i32>min<i64>(max<i64>(words[3], 0), (words.length - HEAD) / ENTRY);
      for (let e = 0; e < entries; e++) this.addEntry(features, words, HEAD + e * ENTRY, e);
    }
  }

  private addEntry(features: Feature[], words: StaticArray<i64>, at: i32, guess: i32): void {
    const feature = find(features, words[at], guess);
    if (feature === null) return;
    if (words[at + 1] == feature.counters.step) feature.total.addAll(words, at + 6);
    if (words[at + 2] == feature.breaker.record.epoch) {
      feature.breaker.sumSucceeded += <i32>min<i64>(words[at + 3], 1 << 24);
      feature.breaker.sumFailed += <i32>min<i64>(words[at + 4], 1 << 24);
      feature.breaker.sumSlow += <i32>min<i64>(words[at + 5], 1 << 24);
    }
  }
}

/** Slots list features in policy order, so the entry's own place is near the feature's. */
function find(features: Feature[], hash: i64, guess: i32): Feature | null {
  for (let i = guess; i < features.length; i++) if (features[i].hash == hash) return features[i];
  for (let i = 0; i < min(guess, features.length); i++) if (features[i].hash == hash) return features[i];
  return null;
}
