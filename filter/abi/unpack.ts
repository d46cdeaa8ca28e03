/**
 * Static data of the release module, which `scripts/filter-build/pack-data.mjs` has packed: here it goes to its place, before anything else runs. Any
 * other build has nothing packed. No literal, no allocation in this file: the data that they need is not there yet.
 */

/** Two words below all static data: where the packed bytes begin (0: nothing is packed), and where they end. */
const ENVELOPE: usize = 16;
/** The bytes of an object's header: block size, two of the collector, class id, size (`~lib/rt/common`). */
const HEADER: usize = 20;

/** Repetitions: a byte below 0x80 stands for itself, 0xff for the next one, others for 2 to 9 bytes seen up to 4,095 bytes before. */
function expand(from: usize, end: usize, to: usize): usize {
  while (from < end) {
    const token = <usize>load<u8>(from++);
    if (token < 0x80) {
      store<u8>(to++, <u8>token);
      continue;
    }
    const low = <usize>load<u8>(from++);
    if (token == 0xff) {
      store<u8>(to++, <u8>low);
      continue;
    }
    const back = ((token & 15) << 8) | low;
    for (let left = ((token >> 4) & 7) + 2; left > 0; left--, to++) store<u8>(to, load<u8>(to - back));
  }
  return to;
}

/** Objects one after another: `count * 2 + 1` and a text's characters, one byte each; or `bytes * 2`, class id and bytes; id 0 is a gap. */
function place(from: usize, end: usize): void {
  let at: usize = 0;
  while (from < end) {
    let size = <usize>load<u8>(from++);
    if (size >= 0x80) size = (size & 0x7f) | (<usize>load<u8>(from++) << 7);
    const isText = (size & 1) != 0;
    const id = isText ? idof<string>() : <u32>load<u8>(from++);
    const count = size >> 1;
    if (id == 0) {
      at += count;
      continue;
    }
    const bytes = isText ? count << 1 : count;
    const block = (bytes + HEADER + 15) & ~15;
    store<u32>(at, <u32>block - 4);
    store<u32>(at, id, 12);
    store<u32>(at, <u32>bytes, 16);
    for (let i: usize = 0; i < count; i++) {
      if (isText) store<u16>(at + HEADER + (i << 1), load<u8>(from + i));
      else store<u8>(at + HEADER + i, load<u8>(from + i));
    }
    from += count;
    at += block;
  }
}

function unpack(): void {
  const packed = load<usize>(ENVELOPE);
  if (packed == 0) return;
  const plain = load<usize>(ENVELOPE, 4);
  const end = expand(packed, plain, plain);
  place(plain, end);
  memory.fill(packed, 0, end - packed);
  memory.fill(ENVELOPE, 0, 8);
}

unpack();
