import { BodyBuffer, ConstantBuffer } from '../filter/host/body-buffer.ts';
import { type Context, type Plugin, RootContext } from '../filter/host/context.ts';
import { BufferType, HeaderMapType } from '../filter/host/enums.ts';
import { HeaderMap } from '../filter/host/header-map.ts';
import type { Vm } from '../filter/host/vm.ts';
import { bytesOf, type Step } from './event.ts';

/** A root whose calls a test answers as it likes. */
export class FuzzRoot extends RootContext {
  readonly streamsBySlot = new Map<number, FuzzStream>();

  constructor(vm: Vm, plugin: Plugin) {
    super(vm, vm.newContextId(), plugin, vm.process.node);
  }
}

const NOTHING = new Uint8Array();

/** A stream that shows whatever the step at hand brought along, in any order. */
export class FuzzStream implements Context {
  readonly id: number;
  readonly root: FuzzRoot;
  logPhase = false;
  readonly #maps = new Map<number, HeaderMap>();
  #body: BodyBuffer | null = null;
  #flags = NOTHING as Uint8Array;
  #cluster = NOTHING as Uint8Array;

  constructor(root: FuzzRoot) {
    this.root = root;
    this.id = root.vm.newContextId();
  }

  show({ call, headers, body, flags, cluster }: Step): void {
    if (headers !== undefined) {
      const map = new HeaderMap();
      map.replaceAll(headers);
      this.#maps.set(call.startsWith('response') ? HeaderMapType.ResponseHeaders : HeaderMapType.RequestHeaders, map);
    }
    this.#body = body === undefined ? null : new BodyBuffer(bytesOf(body));
    if (flags !== undefined) this.#flags = bytesOf(flags);
    if (cluster !== undefined) this.#cluster = bytesOf(cluster);
    this.logPhase = call === 'log';
  }

  mapToRead(type: number): HeaderMap | null {
    return this.#maps.get(type) ?? null;
  }

  mapToWrite(type: number): HeaderMap | null {
    return this.#maps.get(type) ?? null;
  }

  mutated(): void {}

  buffer(type: number): BodyBuffer | null {
    if (type === BufferType.VmConfiguration) return new ConstantBuffer(NOTHING);
    return type === BufferType.RequestBody || type === BufferType.ResponseBody ? this.#body : null;
  }

  property(path: readonly string[]): Uint8Array | null {
    switch (path.join('.')) {
      case 'response.flags':
        return this.#flags;
      case 'xds.cluster_name':
        return this.#cluster;
      default:
        return null;
    }
  }

  continueStream(): number {
    return 0;
  }

  closeStream(): number {
    return 0;
  }

  sendLocalReply(): void {}
}
