import { monotonicMs } from "../abi/clock";
import { contentHash } from "../abi/content-hash";
import { MISSING, readShared, readVersion, writeShared } from "../abi/shared-data";
import { currentAgeMs, servable } from "../domain/freshness";
import { hash64 } from "../domain/sip-hash";
import { isKept } from "../domain/storability";
import { CacheBlob } from "./cache-blob";
import { CheckedWords } from "./checked-words";
import { identity } from "./identity";
import { cacheKey } from "./keys";
import { Begin, PoisonMark } from "./poison-mark";
import { Renewals } from "./renewals";
import { AgedCopy, decodeCopy } from "./shared-copy";

const WAYS: i32 = 4;
const KIND: i64 = 7;
/** Beyond body and headers: key and lengths. */
const BLOB_EXTRA: i32 = 72 * 1024;
/** Requests with an identity renew under claims of their own. Their answers are often private, and would take the others' turns. */
const IDENTIFIED: u64 = 0x5bd1e995_27d4eb2f;

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
  /** [1] hash of the key, [2] since, [3] age then, [4] freshness, [5] stale-if-error, [6] status and whether it may be stale, [7] size, [8] hash of the content, [9] owner, [10] last shared. */
  private metas: CheckedWords[] = [];
  private bodyKeys: ArrayBuffer[] = [];
  private readonly renewals: Renewals = new Renewals();
  /** Copies that this VM has read without harm: hash of each slot's content. */
  private proven: StaticArray<i64> = new StaticArray<i64>(0);
  /** Change mark of the content that this VM hashed last in each slot, and that hash. */
  private versions: StaticArray<u32> = new StaticArray<u32>(0);
  private hashes: StaticArray<i64> = new StaticArray<i64>(0);
  /** For how long the copy that `store` displaced last had been here; -1: it displaced none. */
  displacedMs: i64 = -1;
  private readonly mark: PoisonMark = new PoisonMark(cacheKey("trying", 0));

  configure(entries: i32, maxBodyBytes: i32): void {
    const sets = max(entries / WAYS, 1);
    this.maxBodyBytes = maxBodyBytes;
    if (sets == this.sets) return;
    this.sets = sets;
    this.metas = [];
    this.bodyKeys = [];
    this.proven = new StaticArray<i64>(sets * WAYS);
    this.versions = new StaticArray<u32>(sets * WAYS);
    this.hashes = new StaticArray<i64>(sets * WAYS);
    this.renewals.configure(sets * WAYS);
    for (let i = 0; i < sets * WAYS; i++) {
      this.metas.push(new CheckedWords(cacheKey("meta", i), KIND, 10));
      this.bodyKeys.push(cacheKey("body", i));
    }
  }

  maxBody(): i32 {
    return this.maxBodyBytes;
  }

  hash(key: StaticArray<u8>, length: i32): u64 {
    // A copy that comes before the first tick lies where later ones are looked for.
    if (!identity.known) identity.settle(monotonicMs());
    return hash64(key, 0, length, identity.hashKey0, identity.hashKey1);
  }

  /**
   * Name of the renewal that this worker has to do now; 0: none. Of many requests at once, on whichever worker, one does it.
   * `identified`: the request has credentials or cookies.
   */
  claimRenewal(hash: u64, identified: bool, nowMs: i64, refreshMs: i64): u64 {
    const name = identified ? hash ^ IDENTIFIED : hash;
    if (!this.renewals.claim(name, nowMs, refreshMs)) return 0;
    const slot = this.slotOf(hash);
    return slot < 0 || nowMs - this.metas[slot].words[2] >= refreshMs ? name : 0;
  }

  /** The renewal came to nothing: the next answer may try again. */
  notRenewed(name: u64): void {
    this.renewals.giveBack(name);
  }

  /** A copy that may stand in for a failed answer now, good until the next is asked for; null: none. */
  find(key: StaticArray<u8>, keyLength: i32, nowMs: i64, maxStaleMs: i64): StaleCopy | null {
    const slot = this.slotOf(this.hash(key, keyLength));
    if (slot < 0) return null;
    const words = this.metas[slot].words;
    const ageMs = currentAgeMs(words[3], nowMs - words[2]);
    if (!servable(ageMs, words[4], words[5], (words[6] & 1) != 0, maxStaleMs)) return null;
    const content = words[8];
    const begin = this.proven[slot] == content ? Begin.Busy : this.mark.begin(content);
    if (begin == Begin.Poison) return null;
    const blob = this.read(slot, true);
    let copy: StaleCopy | null = null;
    const status = <i32>(words[6] >> 1);
    if (blob !== null && isKept(status) && blob.belongsTo(key, keyLength)) {
      copy = new StaleCopy(status, blob.pairs(), blob.body(), ageMs, words[4]);
    }
    // While another worker tries a copy there is no mark to set: this one goes unmarked, and is marked the next time.
    if (begin == Begin.Go) {
      this.mark.end(content);
      this.proven[slot] = content;
    }
    return copy;
  }

  /** Content of a slot whose meta was read; null when it is torn, or not what the meta says. `passing` as for `readShared`. */
  private read(slot: i32, passing: bool): CacheBlob | null {
    const words = this.metas[slot].words;
    const bytes = readShared(this.bodyKeys[slot], this.maxBodyBytes + BLOB_EXTRA, passing);
    if (bytes === null || <i64>bytes.length != words[7] || this.hashOf(slot, readVersion(), bytes) != words[8]) return null;
    return new CacheBlob(bytes);
  }

  /** Whoever writes a value changes its mark: under the same one the bytes are those that were hashed. */
  private hashOf(slot: i32, version: u32, bytes: Uint8Array): i64 {
    if (version == MISSING || version != this.versions[slot]) {
      this.versions[slot] = version;
      this.hashes[slot] = contentHash(bytes);
    }
    return this.hashes[slot];
  }

  /** Keeps a copy in the slot of its key, else in one that its feature may take. The slot; -1: it is not kept. */
  store(key: StaticArray<u8>, keyLength: i32, nowMs: i64, copy: AgedCopy): i32 {
    const blob = copy.blob;
    this.displacedMs = -1;
    if (this.sets == 0 || blob.length > this.maxBodyBytes + BLOB_EXTRA) return -1;
    const hash = this.hash(key, keyLength);
    const owner = ownerOf(key);
    let slot = this.slotOf(hash);
    const isNew = slot < 0;
    if (isNew) slot = this.victim(hash, owner);
    if (!writeShared(this.bodyKeys[slot], blob)) return -1;
    const meta = this.metas[slot];
    const isTaken = meta.read();
    const words = meta.words;
    if (isNew && isTaken) this.displacedMs = nowMs - words[2];
    words[1] = <i64>hash;
    words[2] = nowMs;
    words[3] = copy.ageMs;
    words[4] = copy.freshForMs;
    words[5] = copy.staleIfErrorMs;
    words[6] = (<i64>copy.status << 1) | (copy.mayServeStale ? 1 : 0);
    words[7] = blob.length;
    words[8] = contentHash(blob);
    words[9] = owner;
    if (isNew) words[10] = i64.MIN_VALUE / 2;
    this.proven[slot] = words[8];
    return meta.write() ? slot : -1;
  }

  /** What another proxy has kept under this key becomes a copy of this one; null: it may not be served, or is not what it should be. */
  take(bytes: Uint8Array, key: StaticArray<u8>, keyLength: i32, heldMs: i64, nowMs: i64, maxStaleMs: i64): StaleCopy | null {
    const content = contentHash(bytes);
    const begin = this.mark.begin(content);
    if (begin == Begin.Poison) return null;
    const copy = decodeCopy(bytes, key, keyLength, this.maxBodyBytes);
    if (begin == Begin.Go) this.mark.end(content);
    if (copy === null) return null;
    copy.ageMs = currentAgeMs(copy.ageMs, heldMs);
    if (!servable(copy.ageMs, copy.freshForMs, copy.staleIfErrorMs, copy.mayServeStale, maxStaleMs)) return null;
    this.store(key, keyLength, nowMs, copy);
    const blob = new CacheBlob(copy.blob);
    return new StaleCopy(copy.status, blob.pairs(), blob.body(), copy.ageMs, copy.freshForMs);
  }

  /** Whether the copy that was displaced last could still have stood in, by the rule of the one that displaced it. */
  hasEvicted(maxStaleMs: i64): bool {
    return this.displacedMs >= 0 && this.displacedMs < maxStaleMs;
  }

  /** Hash of a slot's content if it is due to be shared, and then it counts as shared; 0: it is not. */
  claimSharing(slot: i32, nowMs: i64, intervalMs: i64): i64 {
    const meta = this.metas[slot];
    if (!meta.read() || nowMs - meta.words[10] < intervalMs) return 0;
    meta.words[10] = nowMs;
    return meta.write() ? meta.words[8] : 0;
  }

  /** What a slot holds, if it is still this content. */
  copyOf(slot: i32, content: i64, nowMs: i64): AgedCopy | null {
    if (slot < 0 || slot >= this.metas.length || !this.metas[slot].read()) return null;
    const words = this.metas[slot].words;
    if (words[8] != content) return null;
    const blob = this.read(slot, false);
    if (blob === null) return null;
    const copy = new AgedCopy(blob.bytes);
    copy.ageMs = currentAgeMs(words[3], nowMs - words[2]);
    copy.freshForMs = words[4];
    copy.staleIfErrorMs = words[5];
    copy.status = <i32>(words[6] >> 1);
    copy.mayServeStale = (words[6] & 1) != 0;
    return copy;
  }

  /** Slot that holds the hash, its meta read; -1: none. */
  private slotOf(hash: u64): i32 {
    if (this.sets == 0) return -1;
    const first = this.setOf(hash);
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.metas[slot].read() && this.metas[slot].words[1] == <i64>hash) return slot;
    }
    return -1;
  }

  private setOf(hash: u64): i32 {
    return <i32>(hash % <u64>this.sets) * WAYS;
  }

  /**
   * Slot of the set that a new copy takes: a free one, else the oldest of the feature that holds most of the set, the new copy counted. So
   * a feature with many keys drowns no other.
   */
  private victim(hash: u64, owner: i64): i32 {
    const first = this.setOf(hash);
    let best = first;
    let bestHeld = 0;
    let bestAt = i64.MAX_VALUE;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (!this.metas[slot].read()) return slot;
      const words = this.metas[slot].words;
      const held = this.held(first, words[9]) + (words[9] == owner ? 1 : 0);
      if (held < bestHeld || (held == bestHeld && words[2] >= bestAt)) continue;
      best = slot;
      bestHeld = held;
      bestAt = words[2];
    }
    return best;
  }

  /** How many slots of a set a feature holds. */
  private held(first: i32, owner: i64): i32 {
    let count = 0;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.metas[slot].read() && this.metas[slot].words[9] == owner) count++;
    }
    return count;
  }
}

/** Whose copy it is, by the first field of its key: service and feature. */
function ownerOf(key: StaticArray<u8>): i64 {
  return <i64>hash64(key, 0, 2 + ((<i32>key[0] << 8) | <i32>key[1]), 0, 0);
}

/** The cache of this proxy. */
export const staleCache: StaleCache = new StaleCache();
