import { contentHash } from "../abi/content-hash";
import { readShared, writeShared } from "../abi/shared-data";
import { currentAgeMs, servable } from "../domain/freshness";
import { hash64 } from "../domain/sip-hash";
import { Storability } from "../domain/storability";
import { CacheBlob, encodeBlob } from "./cache-blob";
import { CheckedWords } from "./checked-words";
import { identity } from "./identity";
import { cacheKey } from "./keys";
import { Begin, PoisonMark } from "./poison-mark";

const WAYS: i32 = 4;
const KIND: i64 = 7;
/** Keys whose last renewal this VM remembers, so that the happy path asks nobody. */
const REMEMBERED: i32 = 1024;
/** Beyond body and headers: key and lengths. */
const BLOB_EXTRA: i32 = 72 * 1024;

/** A copy that may be served now. */
export class StaleCopy {
  constructor(
    readonly status: i32,
    /** Serialised headers, without `age`. */
    readonly pairs: Uint8Array,
    readonly body: Uint8Array,
    readonly ageMs: i64,
    readonly freshForMs: i64,
  ) {}
}

/**
 * L1 of the stale cache: a fixed number of slots in shared data, four to a set, the hash of the key choosing the set. Beside each
 * body lies a small value that says what is there, so that looking costs little; bodies are read only to be served.
 */
export class StaleCache {
  private sets: i32 = 0;
  private maxBodyBytes: i32 = 0;
  private metas: CheckedWords[] = [];
  private bodyKeys: ArrayBuffer[] = [];
  private readonly hashes: StaticArray<u64> = new StaticArray<u64>(REMEMBERED);
  private readonly renewedAt: StaticArray<i64> = new StaticArray<i64>(REMEMBERED);
  /** Copies that this VM has read without harm: hash of each slot's content. */
  private proven: StaticArray<i64> = new StaticArray<i64>(0);
  private readonly mark: PoisonMark = new PoisonMark(cacheKey("trying", 0));

  configure(entries: i32, maxBodyBytes: i32): void {
    const sets = max(entries / WAYS, 1);
    this.maxBodyBytes = maxBodyBytes;
    if (sets == this.sets) return;
    this.sets = sets;
    this.metas = [];
    this.bodyKeys = [];
    this.proven = new StaticArray<i64>(sets * WAYS);
    for (let i = 0; i < sets * WAYS; i++) {
      this.metas.push(new CheckedWords(cacheKey("meta", i), KIND, 8));
      this.bodyKeys.push(cacheKey("body", i));
    }
  }

  maxBody(): i32 {
    return this.maxBodyBytes;
  }

  hash(key: StaticArray<u8>, length: i32): u64 {
    return hash64(key, 0, length, identity.hashKey0, identity.hashKey1);
  }

  /**
   * Whether a copy should be renewed now, and if so notes that it is being renewed: of many requests at once one does it.
   * `hash` decides alone: two keys of one hash only renew more rarely.
   */
  isDue(hash: u64, nowMs: i64, refreshMs: i64): bool {
    const place = <i32>(hash % REMEMBERED);
    if (this.hashes[place] == hash && nowMs - this.renewedAt[place] < refreshMs) return false;
    this.hashes[place] = hash;
    this.renewedAt[place] = nowMs;
    const slot = this.slotOf(hash);
    // Another worker may have renewed it.
    return slot < 0 || nowMs - this.metas[slot].words[2] >= refreshMs;
  }

  /** The renewal came to nothing: the next answer may try again. */
  notRenewed(hash: u64): void {
    const place = <i32>(hash % REMEMBERED);
    if (this.hashes[place] == hash) this.renewedAt[place] = i64.MIN_VALUE / 2;
  }

  /** A copy that may stand in for a failed answer now; null: none. */
  find(key: StaticArray<u8>, keyLength: i32, nowMs: i64, maxStaleMs: i64): StaleCopy | null {
    const slot = this.slotOf(this.hash(key, keyLength));
    if (slot < 0) return null;
    const words = this.metas[slot].words;
    const ageMs = currentAgeMs(words[3], nowMs - words[2]);
    const freshForMs = words[4];
    if (!servable(ageMs, freshForMs, words[5], (words[6] & 1) != 0, maxStaleMs)) return null;
    const content = words[8];
    const size = words[7];
    const status = <i32>(words[6] >> 1);
    if (this.proven[slot] == content) return this.read(slot, content, size, status, key, keyLength, ageMs, freshForMs);
    const begin = this.mark.begin(content);
    if (begin == Begin.Poison) return null;
    const copy = this.read(slot, content, size, status, key, keyLength, ageMs, freshForMs);
    // While another worker tries a copy there is no mark to set: this one goes unmarked, and is marked the next time.
    if (begin == Begin.Go) {
      this.mark.end(content);
      this.proven[slot] = content;
    }
    return copy;
  }

  private read(
    slot: i32, content: i64, size: i64, status: i32, key: StaticArray<u8>, keyLength: i32, ageMs: i64, freshForMs: i64,
  ): StaleCopy | null {
    const bytes = readShared(this.bodyKeys[slot], this.maxBodyBytes + BLOB_EXTRA);
    if (bytes === null || <i64>bytes.length != size || contentHash(bytes) != content) return null;
    const blob = new CacheBlob(bytes);
    if (!blob.belongsTo(key, keyLength)) return null;
    return new StaleCopy(status, blob.pairs(), blob.body(), ageMs, freshForMs);
  }

  /** Keeps a copy in the slot of its key, else in the oldest of its set. */
  store(
    key: StaticArray<u8>, keyLength: i32, nowMs: i64, verdict: Storability, status: i32, pairs: Uint8Array, body: Uint8Array, bodyLength: i32,
  ): void {
    if (this.sets == 0 || bodyLength > this.maxBodyBytes) return;
    const hash = this.hash(key, keyLength);
    let slot = this.slotOf(hash);
    if (slot < 0) slot = this.oldest(hash);
    const blob = encodeBlob(key, keyLength, pairs, body, bodyLength);
    if (blob.length > this.maxBodyBytes + BLOB_EXTRA || !writeShared(this.bodyKeys[slot], blob)) return;
    const meta = this.metas[slot];
    meta.read();
    const words = meta.words;
    words[1] = <i64>hash;
    words[2] = nowMs;
    words[3] = verdict.ageMs;
    words[4] = verdict.freshForMs;
    words[5] = verdict.staleIfErrorMs;
    words[6] = (<i64>status << 1) | (verdict.mayServeStale ? 1 : 0);
    words[7] = blob.length;
    words[8] = contentHash(blob);
    this.proven[slot] = words[8];
    meta.write();
  }

  /** Slot that holds the hash, its meta read; -1: none. */
  private slotOf(hash: u64): i32 {
    if (this.sets == 0) return -1;
    const first = <i32>(hash % <u64>this.sets) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.metas[slot].read() && this.metas[slot].words[1] == <i64>hash) return slot;
    }
    return -1;
  }

  private oldest(hash: u64): i32 {
    const first = <i32>(hash % <u64>this.sets) * WAYS;
    let best = first;
    let bestAt = i64.MAX_VALUE;
    for (let slot = first; slot < first + WAYS; slot++) {
      const at = this.metas[slot].read() ? this.metas[slot].words[2] : i64.MIN_VALUE;
      if (at >= bestAt) continue;
      best = slot;
      bestAt = at;
    }
    return best;
  }
}

/** The cache of this proxy. */
export const staleCache: StaleCache = new StaleCache();
