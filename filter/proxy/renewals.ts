import { CheckedWords } from "./checked-words";
import { cacheKey } from "./keys";

const KIND: i64 = 8;
/** Keys whose last renewal this VM remembers, so that the happy path asks nobody. */
const REMEMBERED: i32 = 1024;
const NEVER: i64 = i64.MIN_VALUE / 2;

/**
 * Who renews which copy: one worker of the proxy per key and interval. A worker that means to renew a copy claims it in shared data; the
 * places of claims are fixed, chosen by the hash. Two keys of one place, or of one hash, only take each other's turns.
 */
export class Renewals {
  private readonly hashes: StaticArray<u64> = new StaticArray<u64>(REMEMBERED);
  private readonly renewedAt: StaticArray<i64> = new StaticArray<i64>(REMEMBERED);
  /** [1] hash, [2] since. */
  private claims: CheckedWords[] = [];

  configure(places: i32): void {
    this.claims = [];
    for (let i = 0; i < places; i++) this.claims.push(new CheckedWords(cacheKey("claim", i), KIND, 2));
  }

  /** Takes the renewal upon this worker; false: somebody has within the interval, or does so right now. */
  claim(hash: u64, nowMs: i64, intervalMs: i64): bool {
    const place = <i32>(hash % REMEMBERED);
    if (this.hashes[place] == hash && nowMs - this.renewedAt[place] < intervalMs) return false;
    const claim = this.claimOf(hash);
    if (claim === null) return false;
    const words = claim.words;
    if (claim.read() && words[1] == <i64>hash && nowMs - words[2] < intervalMs) {
      this.remember(place, hash, words[2]);
      return false;
    }
    words[1] = <i64>hash;
    words[2] = nowMs;
    if (!claim.write()) return false;
    this.remember(place, hash, nowMs);
    return true;
  }

  /** The renewal came to nothing: the next answer may try again. */
  giveBack(hash: u64): void {
    this.remember(<i32>(hash % REMEMBERED), hash, NEVER);
    const claim = this.claimOf(hash);
    if (claim === null || !claim.read() || claim.words[1] != <i64>hash) return;
    claim.words[2] = NEVER;
    claim.write();
  }

  private claimOf(hash: u64): CheckedWords | null {
    return this.claims.length == 0 ? null : this.claims[<i32>(hash % <u64>this.claims.length)];
  }

  private remember(place: i32, hash: u64, atMs: i64): void {
    this.hashes[place] = hash;
    this.renewedAt[place] = atMs;
  }
}
