/**
 * Stream ids to pool slots: open addressing with linear probing, so that a request costs no allocation. Grows when half full and
 * never shrinks; deletion moves later entries of the run back, so there are no tombstones.
 */
export class SlotTable {
  private keys: StaticArray<u32>;
  private slots: StaticArray<i32>;
  private mask: i32;
  private count: i32 = 0;

  /** `capacity` must be a power of two. */
  constructor(capacity: i32) {
    this.keys = new StaticArray<u32>(capacity);
    this.slots = new StaticArray<i32>(capacity);
    this.mask = capacity - 1;
  }

  private home(key: u32): i32 {
    return <i32>((key * 0x9e3779b1) >> 8) & this.mask;
  }

  /** Slot of a key; -1 when absent. Key 0 is never used by the host. */
  get(key: u32): i32 {
    let at = this.home(key);
    while (this.keys[at] != 0) {
      if (this.keys[at] == key) return this.slots[at];
      at = (at + 1) & this.mask;
    }
    return -1;
  }

  set(key: u32, slot: i32): void {
    if (key == 0) return;
    if (this.count * 2 >= this.keys.length) this.grow();
    let at = this.home(key);
    while (this.keys[at] != 0 && this.keys[at] != key) at = (at + 1) & this.mask;
    if (this.keys[at] == 0) this.count++;
    this.keys[at] = key;
    this.slots[at] = slot;
  }

  delete(key: u32): void {
    let at = this.home(key);
    while (this.keys[at] != key) {
      if (this.keys[at] == 0) return;
      at = (at + 1) & this.mask;
    }
    let hole = at;
    for (;;) {
      at = (at + 1) & this.mask;
      if (this.keys[at] == 0) break;
      const home = this.home(this.keys[at]);
      if (((at - home) & this.mask) < ((at - hole) & this.mask)) continue;
      this.keys[hole] = this.keys[at];
      this.slots[hole] = this.slots[at];
      hole = at;
    }
    this.keys[hole] = 0;
    this.count--;
  }

  private grow(): void {
    const keys = this.keys;
    const slots = this.slots;
    this.keys = new StaticArray<u32>(keys.length * 2);
    this.slots = new StaticArray<i32>(keys.length * 2);
    this.mask = this.keys.length - 1;
    this.count = 0;
    for (let i = 0; i < keys.length; i++) if (keys[i] != 0) this.set(keys[i], slots[i]);
  }
}
