import type { Guest, GuestModule, HostFunction, HostImports } from './guest.ts';
import type { Pair } from './header-map.ts';
import { decodePairs, encodePairs } from './pairs.ts';
import { bodyBytes, headerBytes, headerText } from './text.ts';

const OUT = 16;
const SCRATCH = 1024;
const HEAP = 32 * 1024;
const PAGES = 32;

/** Host functions as a module written in TypeScript calls them: strings and bytes instead of pointers. */
export class HostPort {
  readonly memory = new WebAssembly.Memory({ initial: PAGES });
  readonly raw: Readonly<Record<string, HostFunction>>;
  /** Answers of the allocator; 0 refuses. */
  refuseMemory = false;
  #scratch = SCRATCH;
  #heap = HEAP;

  constructor(imports: HostImports) {
    this.raw = { ...imports['wasi_snapshot_preview1'], ...imports['env'] };
  }

  allocate = (size: number): number => {
    if (this.refuseMemory) return 0;
    const pointer = this.#heap;
    this.#heap += size + 8;
    if (this.#heap > PAGES * 65_536) this.#heap = HEAP;
    return pointer;
  };

  /** Calls a host function; strings and bytes become pointer and length. */
  call(name: string, ...args: readonly (number | bigint | string | Uint8Array)[]): number {
    this.#scratch = SCRATCH;
    const flat = args.flatMap((arg) => (typeof arg === 'number' || typeof arg === 'bigint' ? [arg] : this.#place(arg)));
    return Number(this.raw[name]?.(...flat) ?? 0);
  }

  /** Calls a function whose last two arguments say where to write pointer and length; gives the bytes, or the result that refuses. */
  read(name: string, ...args: readonly (number | bigint | string | Uint8Array)[]): Uint8Array | number {
    const result = this.call(name, ...args, OUT, OUT + 4, ...(name === 'proxy_get_shared_data' ? [OUT + 8] : []));
    if (result !== 0) return result;
    return this.bytes(this.out(0), this.out(1)).slice();
  }

  text(name: string, ...args: readonly (number | bigint | string | Uint8Array)[]): string | number {
    const bytes = this.read(name, ...args);
    return typeof bytes === 'number' ? bytes : headerText(bytes);
  }

  /** Words that the last call wrote: 0 pointer, 1 length, 2 cas. */
  out(index: number): number {
    return new DataView(this.memory.buffer).getUint32(OUT + index * 4, true);
  }

  header(map: number, name: string): string | number {
    return this.text('proxy_get_header_map_value', map, name);
  }

  pairs(map: number): Pair[] {
    const bytes = this.read('proxy_get_header_map_pairs', map);
    return typeof bytes === 'number' ? [] : decodePairs(bytes);
  }

  reply(status: number, details: string, body: string, headers: readonly Pair[] = [], grpcStatus = -1): number {
    return this.call('proxy_send_local_response', status, details, bodyBytes(body), encodePairs(headers), grpcStatus);
  }

  /** Token of the call, or minus the result that refused it. */
  callOut(cluster: string, headers: readonly Pair[], timeoutMs: number, body = ''): number {
    const result = this.call('proxy_http_call', cluster, encodePairs(headers), bodyBytes(body), new Uint8Array(4), timeoutMs, OUT);
    return result === 0 ? this.out(0) : -result;
  }

  define(type: number, name: string): number {
    this.call('proxy_define_metric', type, name, OUT);
    return this.out(0);
  }

  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, length);
  }

  #place(data: string | Uint8Array): [number, number] {
    const bytes = typeof data === 'string' ? headerBytes(data) : data;
    // Large data goes to the heap.
    const pointer = bytes.length > HEAP / 2 ? this.allocate(bytes.length) : this.#scratch;
    if (pointer === this.#scratch) this.#scratch += bytes.length + 8;
    this.bytes(pointer, bytes.length).set(bytes);
    return [pointer, bytes.length];
  }
}

/** Callbacks by name without `proxy_on_`. */
export type Script = Readonly<Record<string, (host: HostPort, ...args: number[]) => number | undefined>>;

/** A module in TypeScript, for the tests of the host itself. */
export class Puppet implements GuestModule {
  readonly #script: Script;
  /** Names of the callbacks in the order in which they ran, with their arguments. */
  readonly calls: string[] = [];

  constructor(script: Script) {
    this.#script = script;
  }

  instantiate(imports: HostImports): Guest {
    const host = new HostPort(imports);
    const exports: Record<string, HostFunction> = { proxy_on_memory_allocate: host.allocate };
    for (const [name, run] of Object.entries(this.#script)) {
      exports[name === '_initialize' ? name : `proxy_on_${name}`] = (...args: number[]) => {
        this.calls.push(`${name}(${args.join(',')})`);
        return run(host, ...args) ?? 0;
      };
    }
    return { memory: host.memory, exports };
  }
}

/** Stops the VM as an `unreachable` does. */
export function trap(): never {
  throw new WebAssembly.RuntimeError('unreachable');
}
