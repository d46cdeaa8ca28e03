/** Where a hash of `hashOn` starts. */
export const HASH_START: u64 = 0xcbf29ce484222325;

/** One step of FNV-1a, 64 bits (Fowler, Noll, Vo); values above 255 are not taken by any byte, so they separate. */
export function hashOn(hash: u64, value: u64): u64 {
  return (hash ^ value) * 0x100000001b3;
}

/** Numbers noted under 64-bit hashes. Two names with one hash count as the same; that is a collision in 2^64. */
export class HashTable {
  private hashes: StaticArray<u64>; // u64[2^n]; 0: free
  private numbers: StaticArray<i32>;

  /** `most`: how many hashes will be noted at most. */
  constructor(most: i32) {
    let capacity = 4;
    while (capacity < 2 * most) capacity *= 2;
    this.hashes = new StaticArray<u64>(capacity);
    this.numbers = new StaticArray<i32>(capacity);
  }

  /** The number noted under the hash, or -1. */
  find(hash: u64): i32 {
    const place = this.place(hash);
    return this.hashes[place] != 0 ? this.numbers[place] : -1;
  }

  /** Notes a number under the hash, unless one is; gives the one that was, or -1. */
  note(hash: u64, number: i32): i32 {
    const place = this.place(hash);
    if (this.hashes[place] != 0) return this.numbers[place];
    this.hashes[place] = hash | 1;
    this.numbers[place] = number;
    return -1;
  }

  private place(hash: u64): i32 {
    const last = this.hashes.length - 1;
    let place = <i32>(hash >> 32) & last;
    while (this.hashes[place] != 0 && this.hashes[place] != (hash | 1)) place = (place + 1) & last;
    return place;
  }
}
