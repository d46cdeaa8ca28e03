import { bytesOf } from "../../../filter/domain/ascii";
import { CacheKeyWriter } from "../../../filter/domain/cache-key";
import { RequestView } from "../../../filter/domain/request-view";
import { hash64 } from "../../../filter/domain/sip-hash";

let out: StaticArray<u8> = new StaticArray<u8>(4096);
let writer: CacheKeyWriter = new CacheKeyWriter("", "", [], [], out);
const view = new RequestView();
let varyRanges: StaticArray<i32> = [];

/** Lists are separated by commas. */
export function policy(service: string, feature: string, parameters: string, varyHeaders: string, capacity: i32): void {
  out = new StaticArray<u8>(capacity);
  writer = new CacheKeyWriter(service, feature, list(parameters), list(varyHeaders), out);
}

/** `varyValues`: one per vary header, each with a line feed at its end; `-` stands for an absent one. */
export function request(method: string, host: string, path: string, varyValues: string): void {
  const values = varyValues.split("\n");
  values.pop();
  view.bytes = bytesOf(method + host + path + values.join(""));
  view.methodEnd = method.length;
  view.hostStart = view.methodEnd;
  view.hostEnd = view.hostStart + host.length;
  view.pathStart = view.hostEnd;
  view.pathEnd = view.pathStart + path.length;
  varyRanges = new StaticArray<i32>(values.length * 2);
  let at = view.pathEnd;
  for (let i = 0; i < values.length; i++) {
    const absent = values[i] == "-";
    varyRanges[2 * i] = absent ? -1 : at;
    varyRanges[2 * i + 1] = absent ? -1 : at + values[i].length;
    at += values[i].length;
  }
}

export function write(): i32 {
  return writer.write(view, varyRanges);
}

export function writeTimes(times: i32): i32 {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += writer.write(view, varyRanges);
  return sum;
}

/** The buffer that keys are written to, as address. */
export function buffer(): usize {
  return changetype<usize>(out);
}

export function hashOf(text: string, start: i32, end: i32, k0: u64, k1: u64): u64 {
  return hash64(bytesOf(text), start, end, k0, k1);
}

export function mark(): usize {
  return heap.alloc(1);
}

function list(text: string): string[] {
  return text.length > 0 ? text.split(",") : [];
}
