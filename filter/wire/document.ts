import { HASH_START, hashOn } from "./hash-table";

/** What a node of a JSON document is. `Key` is the name of a member; its value is the node after it. */
export enum NodeKind {
  Null = 0,
  False = 1,
  True = 2,
  Number = 3,
  Text = 4,
  Key = 5,
  List = 6,
  Object = 7,
}

/** No such node. */
export const NONE: i32 = -1;

/**
 * A parsed JSON document: its nodes in the order of the text, in columns, so that a document of 50,000 values is a handful of
 * allocations. A node is an index; the root is 0.
 */
export class JsonDocument {
  /** The text with escapes resolved in place: strings and keys are valid UTF-8 ranges of it. */
  text: Uint8Array;
  used: i32 = 0;
  private kinds: StaticArray<u8>;
  private starts: StaticArray<i32>;
  private ends: StaticArray<i32>;
  /** The next member or item of the same container. */
  private nexts: StaticArray<i32>;
  /** Of a container: how many members or items. Of a key: the number that `label` gave it. */
  private extras: StaticArray<i32>;

  /** `source` as it came; the document keeps a reference and never changes it. */
  constructor(
    public source: Uint8Array,
    capacity: i32,
  ) {
    this.text = source;
    this.kinds = new StaticArray<u8>(capacity);
    this.starts = new StaticArray<i32>(capacity);
    this.ends = new StaticArray<i32>(capacity);
    this.nexts = new StaticArray<i32>(capacity);
    this.extras = new StaticArray<i32>(capacity);
  }

  /** Adds a node; NONE when the document is full. */
  add(kind: NodeKind, start: i32): i32 {
    const node = this.used;
    if (node >= this.kinds.length) return NONE;
    this.used = node + 1;
    this.kinds[node] = <u8>kind;
    this.starts[node] = start;
    this.nexts[node] = NONE;
    this.extras[node] = kind == NodeKind.Key ? NONE : 0;
    return node;
  }

  close(node: i32, end: i32): void {
    if (node >= 0) this.ends[node] = end;
  }

  /** The text as a copy of the source that may be written to. */
  ownText(): Uint8Array {
    if (this.text === this.source) this.text = this.source.slice();
    return this.text;
  }

  /** Appends `child` to `container`, after `previous` (NONE: as the first). */
  link(container: i32, previous: i32, child: i32): void {
    if (previous >= 0) this.nexts[previous] = child;
    this.extras[container] = this.extras[container] + 1;
  }

  kind(node: i32): NodeKind {
    return <NodeKind>this.kinds[node];
  }

  /** Offset of a value in `source`; of a string or key, of its content in `text`. */
  start(node: i32): i32 {
    return this.starts[node];
  }

  end(node: i32): i32 {
    return this.ends[node];
  }

  /** How many members or items a container has. */
  count(node: i32): i32 {
    return this.extras[node];
  }

  /** First item of a list, first key of an object, or NONE. */
  first(container: i32): i32 {
    return this.extras[container] > 0 ? container + 1 : NONE;
  }

  /** The item after an item; the key after a key. */
  next(node: i32): i32 {
    return this.nexts[node];
  }

  /** Marks a key with the number of its name, so that members are found without comparing text. */
  label(key: i32, name: i32): void {
    this.extras[key] = name;
  }

  /** The number given by `label`; of a key that has none, a negative one. */
  labelOf(key: i32): i32 {
    return this.extras[key];
  }

  /** Value of the member with this label, or NONE. */
  member(object: i32, name: i32): i32 {
    for (let key = this.first(object); key >= 0; key = this.nexts[key]) if (this.extras[key] == name) return key + 1;
    return NONE;
  }

  /** Content of a string or key. */
  string(node: i32): string {
    return sliceText(this.text, this.starts[node], this.ends[node]);
  }

  /** Content of a string, key or number, cut at `limit` bytes. */
  excerpt(node: i32, limit: i32): string {
    const start = this.starts[node];
    let end = this.ends[node];
    if (end - start <= limit) return this.string(node);
    end = start + limit;
    while (end > start && (this.text[end] & 0xc0) == 0x80) end--;
    return sliceText(this.text, start, end) + "…";
  }

  /** Hash of a string or key, going on from `hash`. */
  hash(node: i32, hash: u64 = HASH_START): u64 {
    for (let i = this.starts[node]; i < this.ends[node]; i++) hash = hashOn(hash, this.text[i]);
    return hash;
  }

  sameText(a: i32, b: i32): bool {
    const length = this.ends[a] - this.starts[a];
    if (this.ends[b] - this.starts[b] != length) return false;
    for (let i = 0; i < length; i++) if (this.text[this.starts[a] + i] != this.text[this.starts[b] + i]) return false;
    return true;
  }
}

function sliceText(bytes: Uint8Array, start: i32, end: i32): string {
  const from = bytes.byteOffset;
  return String.UTF8.decode(bytes.buffer.slice(from + start, from + end));
}
