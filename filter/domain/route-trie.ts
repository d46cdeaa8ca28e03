import { bytesOf, lower } from "./ascii";

/** Larger than any rule: nothing was found. */
export const NO_RULE: i32 = i32.MAX_VALUE;
/** Stands for "no node". Node 0 is the root that takes any host, so it is nobody's child. */
export const NO_NODE: i32 = 0;
/** Parent of the roots that belong to one host. */
const HOSTS: i32 = -1;

const FNV_OFFSET: u32 = 0x811c9dc5;
const FNV_PRIME: u32 = 0x01000193;

/** FNV-1a, to be fed byte by byte. Its table holds only what the policy names, so clients cannot make its chains longer. */
export function hashStart(): u32 {
  return FNV_OFFSET;
}

@inline
export function hashNext(hash: u32, byte: u8): u32 {
  return (hash ^ byte) * FNV_PRIME;
}

/**
 * Tree of path segments below one root per host. All edges with a name lie in one open-addressing hash table, so that a step
 * costs the same however many rules there are. Rules are numbered in declared order; each hangs in a chain at one node, the
 * lowest number first.
 *
 * `unchecked` in look-ups: node numbers come from this class alone and index all of its arrays. With the checks a match took
 * 2.6 times as long.
 */
export class RouteTrie {
  /** Per node: the child that takes any non-empty segment. */
  anySegment: StaticArray<i32>;
  /** Per node: first rule that takes a path ending here, and first that takes a path ending here or below. */
  ending: StaticArray<i32>;
  below: StaticArray<i32>;
  /** Per node: lowest rule at it or below, for cutting the search short. */
  lowest: StaticArray<i32>;

  private size: i32 = 1;
  private parents: StaticArray<i32>;
  private hashes: StaticArray<u32>;
  /** Per node: its label is text[labelStarts[node] .. labelEnds[node]). */
  private labelStarts: StaticArray<i32>;
  private labelEnds: StaticArray<i32>;
  private text: StaticArray<u8>;
  private textLength: i32 = 0;
  private table: StaticArray<i32>; // length is a power of two, at most half of it is taken

  /** Room for `edges` edges whose names have `letters` letters in all. */
  constructor(edges: i32, letters: i32) {
    const nodes = edges + 1;
    this.anySegment = new StaticArray<i32>(nodes);
    this.ending = new StaticArray<i32>(nodes).fill(NO_RULE);
    this.below = new StaticArray<i32>(nodes).fill(NO_RULE);
    this.lowest = new StaticArray<i32>(nodes).fill(NO_RULE);
    this.parents = new StaticArray<i32>(nodes);
    this.hashes = new StaticArray<u32>(nodes);
    this.labelStarts = new StaticArray<i32>(nodes);
    this.labelEnds = new StaticArray<i32>(nodes);
    this.text = new StaticArray<u8>(letters);
    let places = 16;
    while (places < nodes * 2) places *= 2;
    this.table = new StaticArray<i32>(places);
  }

  /** Root for a host in lower case (`.suffix`: for what ends so). Made when missing. */
  hostRoot(host: string): i32 {
    const label = bytesOf(host);
    let hash = hashStart();
    for (let i = label.length - 1; i >= 0; i--) hash = hashNext(hash, label[i]);
    const found = this.findHost(hash, label, 0, label.length);
    return found != NO_NODE ? found : this.add(HOSTS, hash, label);
  }

  /** Child of `node` for one literal segment. Made when missing. */
  child(node: i32, segment: string): i32 {
    const label = bytesOf(segment);
    let hash = hashStart();
    for (let i = 0; i < label.length; i++) hash = hashNext(hash, label[i]);
    const found = this.findChild(node, hash, label, 0, label.length);
    return found != NO_NODE ? found : this.add(node, hash, label);
  }

  /** Child of `node` for any segment. Made when missing. */
  childForAny(node: i32): i32 {
    if (this.anySegment[node] == NO_NODE) this.anySegment[node] = this.add(node, 0, []);
    return this.anySegment[node];
  }

  /** Root for bytes [start, end) of a request's host, or NO_NODE. `hash` runs from the last byte to the first, in lower case. */
  findHost(hash: u32, bytes: StaticArray<u8>, start: i32, end: i32): i32 {
    return this.find(HOSTS, hash, bytes, start, end, true);
  }

  /** Child of `node` for bytes [start, end), or NO_NODE. `hash` runs from the first byte to the last. */
  findChild(node: i32, hash: u32, bytes: StaticArray<u8>, start: i32, end: i32): i32 {
    return this.find(node, hash, bytes, start, end, false);
  }

  private find(parent: i32, hash: u32, bytes: StaticArray<u8>, start: i32, end: i32, anyCase: bool): i32 {
    const table = this.table;
    const mask = table.length - 1;
    let place = placeOf(parent, hash) & mask;
    let node = unchecked(table[place]);
    while (node != NO_NODE) {
      const same = unchecked(this.hashes[node]) == hash && unchecked(this.parents[node]) == parent;
      if (same && this.isLabel(node, bytes, start, end, anyCase)) return node;
      place = (place + 1) & mask;
      node = unchecked(table[place]);
    }
    return NO_NODE;
  }

  private isLabel(node: i32, bytes: StaticArray<u8>, start: i32, end: i32, anyCase: bool): bool {
    const from = unchecked(this.labelStarts[node]);
    const length = unchecked(this.labelEnds[node]) - from;
    if (length != end - start) return false;
    const text = this.text;
    for (let i = 0; i < length; i++) {
      const byte = unchecked(bytes[start + i]);
      if (unchecked(text[from + i]) != (anyCase ? lower(byte) : byte)) return false;
    }
    return true;
  }

  /** A child for any segment gets an edge in the table too, which no lookup finds: its hash 0 is not that of the empty label. */
  private add(parent: i32, hash: u32, label: StaticArray<u8>): i32 {
    const node = this.size++;
    this.parents[node] = parent;
    this.hashes[node] = hash;
    this.labelStarts[node] = this.textLength;
    for (let i = 0; i < label.length; i++) this.text[this.textLength++] = label[i];
    this.labelEnds[node] = this.textLength;
    const mask = this.table.length - 1;
    let place = placeOf(parent, hash) & mask;
    while (this.table[place] != NO_NODE) place = (place + 1) & mask;
    this.table[place] = node;
    return node;
  }
}

/** Spreads by multiplication; the caller masks. */
@inline
function placeOf(parent: i32, hash: u32): i32 {
  return <i32>(((hash ^ (<u32>parent * 0x9e3779b1)) * 0x85ebca6b) >>> 8);
}
