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

/** Cells of a node: where it starts and ends, the next node of its container, and `count or label << 3 | kind`. */
const CELLS: i32 = 4;
const END: i32 = 1;
const NEXT: i32 = 2;
const KIND: i32 = 3;

/**
 * A parsed JSON document: its nodes in the order of the text, in one array, so that a document of 50,000 values is a handful of
 * allocations. A node is an index; the root is 0.
 */
export class JsonDocument {
  /** The text with escapes resolved in place: strings and keys are ranges of it, in well-formed UTF-8. */
  text: Uint8Array;
  private cells: StaticArray<i32>; // i32[CELLS * capacity]
  private used: i32 = 0;

  /** `source` as it came; the document keeps it and never changes it. `capacity`: how many nodes it can have. */
  constructor(
    public source: Uint8Array,
    capacity: i32,
  ) {
    this.text = source;
    this.cells = new StaticArray<i32>(CELLS * capacity);
  }

  /** Adds a node; NONE when the document is full. */
  add(kind: NodeKind, start: i32): i32 {
    const at = CELLS * this.used;
    if (at >= this.cells.length) return NONE;
    this.cells[at] = start;
    this.cells[at + NEXT] = NONE;
    this.cells[at + KIND] = kind;
    return this.used++;
  }

  /** Ends a node; gives it. */
  close(node: i32, end: i32): i32 {
    if (node >= 0) this.set(node, END, end);
    return node;
  }

  /** Appends `child` to `container`, after `previous` (NONE: as the first). */
  link(container: i32, previous: i32, child: i32): void {
    if (previous >= 0) this.set(previous, NEXT, child);
    this.set(container, KIND, this.cell(container, KIND) + 8);
  }

  /** The text as a copy of the source that may be written to. */
  ownText(): Uint8Array {
    if (this.text === this.source) this.text = this.source.slice();
    return this.text;
  }

  /** How many nodes there are. */
  get size(): i32 {
    return this.used;
  }

  kind(node: i32): NodeKind {
    return <NodeKind>(this.cell(node, KIND) & 7);
  }

  /** Offset of a value in `source`; of a string or key, of its content in `text`. */
  start(node: i32): i32 {
    return this.cell(node, 0);
  }

  end(node: i32): i32 {
    return this.cell(node, END);
  }

  /** How many members or items a container has. */
  count(node: i32): i32 {
    return this.cell(node, KIND) >> 3;
  }

  /** First item of a list, first key of an object, or NONE. */
  first(container: i32): i32 {
    return this.count(container) > 0 ? container + 1 : NONE;
  }

  /** The item after an item, the key after a key, or NONE. */
  next(node: i32): i32 {
    return this.cell(node, NEXT);
  }

  /** Marks a key with the number of its name, so that members are found without comparing text. */
  label(key: i32, label: i32): void {
    this.set(key, KIND, (label << 3) | NodeKind.Key);
  }

  /** The number given by `label`. */
  labelOf(key: i32): i32 {
    return this.cell(key, KIND) >> 3;
  }

  /** Value of the member with this label, or NONE. */
  member(object: i32, label: i32): i32 {
    let key = this.first(object);
    while (key >= 0 && this.labelOf(key) != label) key = this.next(key);
    return key < 0 ? NONE : key + 1;
  }

  /** Content of a string or key. */
  string(node: i32): string {
    return String.UTF8.decode(this.text.slice(this.start(node), this.end(node)).buffer);
  }

  /** A value for a message: a string's or key's content, else its text; cut at `limit` bytes, and without control characters. */
  excerpt(node: i32, limit: i32): string {
    const kind = this.kind(node);
    const from = kind == NodeKind.Text || kind == NodeKind.Key ? this.text : this.source;
    const start = this.start(node);
    let end = this.end(node);
    const isCut = end - start > limit;
    if (isCut) end = start + limit;
    while (isCut && end > start && (from[end] & 0xc0) == 0x80) end--;
    const bytes = from.slice(start, end);
    for (let i = 0; i < bytes.length; i++) if (bytes[i] < 0x20 || bytes[i] == 0x7f) bytes[i] = 0x3f;
    return String.UTF8.decode(bytes.buffer) + (isCut ? "…" : "");
  }

  /** Hash of a string or key, going on from `hash`. */
  hash(node: i32, hash: u64 = HASH_START): u64 {
    const end = this.end(node);
    for (let i = this.start(node); i < end; i++) hash = hashOn(hash, this.text[i]);
    return hash;
  }

  sameText(a: i32, b: i32): bool {
    const from = this.start(a);
    const other = this.start(b);
    const length = this.end(a) - from;
    if (this.end(b) - other != length) return false;
    for (let i = 0; i < length; i++) if (this.text[from + i] != this.text[other + i]) return false;
    return true;
  }

  private cell(node: i32, cell: i32): i32 {
    return this.cells[CELLS * node + cell];
  }

  private set(node: i32, cell: i32, value: i32): void {
    this.cells[CELLS * node + cell] = value;
  }
}
