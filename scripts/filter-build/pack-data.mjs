// Packs the static data of a compiled module (docs/adr/0006-small-module.md): its strings are UTF-16, each behind a header of 20
// bytes, and take a fifth of the module. `filter/abi/unpack.ts` puts them back in their place when a VM starts.
const dataSection = 11;
const dataCountSection = 12;
const envelope = 16;
const headerBytes = 20;
const pageBytes = 65_536;
const stringId = 2;

/** Unsigned LEB128 at `at`: the number and where the next byte is. */
function readLeb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next: at };
  }
}

function leb(value) {
  const bytes = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** The constant of `i32.const`, which is signed. */
function signedLeb(value) {
  const bytes = [];
  for (; value >= 0x40; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function sectionsOf(module) {
  const sections = [];
  for (let at = 8; at < module.length; ) {
    const { value: size, next } = readLeb(module, at + 1);
    sections.push({ id: module[at], body: module.subarray(next, next + size) });
    at = next + size;
  }
  return sections;
}

/** Memory as the active segments of the data section leave it. */
function imageOf(section) {
  const image = Buffer.alloc(pageBytes);
  let end = 0;
  let { value: count, next: at } = readLeb(section, 0);
  for (; count > 0; count--) {
    if (section[at] !== 0 || section[at + 1] !== 0x41) throw new Error('a data segment that is not an active one at a constant address');
    const offset = readLeb(section, at + 2);
    const size = readLeb(section, offset.next + 1);
    image.set(section.subarray(size.next, size.next + size.value), offset.value);
    at = size.next + size.value;
    end = Math.max(end, offset.value + size.value);
  }
  return { image, end };
}

/** The objects of the image in the form that `place` of unpack.ts reads. */
function objectsOf({ image, end }) {
  const plain = [];
  const gap = (size) => size > 0 && plain.push(...leb(size * 2), 0);
  let gapFrom = 0;
  for (let at = 12; at < end; ) {
    const block = image.readUInt32LE(at) + 4;
    const id = image.readUInt32LE(at + 12);
    const size = image.readUInt32LE(at + 16);
    if (id === 0) {
      at += 16;
      continue;
    }
    if (block !== ((size + headerBytes + 15) & ~15) || id > 0xff || size >= 8192) throw new Error(`no object at ${at}`);
    for (let left = at - gapFrom; left > 0; left -= 8191) gap(Math.min(left, 8191));
    const bytes = image.subarray(at + headerBytes, at + headerBytes + size);
    const isText = id === stringId && bytes.every((byte, i) => i % 2 === 0 || byte === 0);
    if (isText) plain.push(...leb(size + 1), ...bytes.filter((_, i) => i % 2 === 0));
    else plain.push(...leb(size * 2), id, ...bytes);
    at += block;
    gapFrom = at;
  }
  return plain;
}

/** For each length from 2 to 9, the nearest earlier place that holds the same bytes as `at`. */
function repetitions(bytes, at) {
  const nearest = [];
  for (let back = 1; back <= Math.min(at, 4095); back++) {
    let length = 0;
    while (length < 9 && at + length < bytes.length && bytes[at + length - back] === bytes[at + length]) length++;
    for (; length >= 2 && nearest[length] === undefined; length--) nearest[length] = back;
  }
  return nearest;
}

/** The shortest form that `expand` of unpack.ts reads, found from the end backwards. */
function shorten(bytes) {
  const best = [];
  best[bytes.length] = { cost: 0 };
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at];
    const own = byte < 0x80 ? [byte] : [0xff, byte];
    best[at] = { cost: own.length + best[at + 1].cost, token: own, next: at + 1 };
    repetitions(bytes, at).forEach((back, length) => {
      const token = [0x80 | ((length - 2) << 4) | (back >> 8), back & 0xff];
      const cost = token.length + best[at + length].cost;
      if (token[0] !== 0xff && cost < best[at].cost) best[at] = { cost, token, next: at + length };
    });
  }
  const short = [];
  for (let at = 0; at < bytes.length; at = best[at].next) short.push(...best[at].token);
  return short;
}

const segment = (address, bytes) => [0, 0x41, ...signedLeb(address), 0x0b, ...leb(bytes.length), ...bytes];

/** The module with its data packed. Throws when the data is not what the compiler lays out today. */
export function packData(module) {
  const sections = sectionsOf(module);
  const image = imageOf(sections.find(({ id }) => id === dataSection).body);
  const plain = objectsOf(image);
  const packed = shorten(plain);
  const at = pageBytes - packed.length - plain.length;
  if (at < image.end) throw new Error('the first page of memory has no room to unpack the data');
  const words = Buffer.alloc(8);
  words.writeUInt32LE(at, 0);
  words.writeUInt32LE(at + packed.length, 4);
  const written = sections.map(({ id, body }) => {
    const bytes =
      id === dataCountSection ? leb(2) : id === dataSection ? [...leb(2), ...segment(envelope, words), ...segment(at, packed)] : body;
    return Buffer.from([id, ...leb(bytes.length), ...bytes]);
  });
  return Buffer.concat([module.subarray(0, 8), ...written]);
}

/** Throws unless both modules have the same memory after their start. */
export function checkPacked(compiled, packed) {
  if (!memoryOf(compiled).equals(memoryOf(packed))) throw new Error('the packed data does not come out as it went in');
}

function memoryOf(bytes) {
  const module = new WebAssembly.Module(bytes);
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => 0;
  }
  const { memory, _initialize } = new WebAssembly.Instance(module, imports).exports;
  _initialize();
  return Buffer.from(memory.buffer);
}
