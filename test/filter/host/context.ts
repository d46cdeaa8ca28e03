import type { BodyBuffer } from './body-buffer.ts';
import { ConstantBuffer } from './body-buffer.ts';
import type { Answer, PendingCall } from './calls.ts';
import { BufferType, HeaderMapType, Result } from './enums.ts';
import type { HeaderMap, Pair } from './header-map.ts';
import { type Node, rootProperty } from './properties.ts';
import type { Vm } from './vm.ts';

/** What the Envoy configuration says of one use of the filter. */
export interface Plugin {
  readonly name: string;
  readonly rootId: string;
  readonly configuration: Uint8Array;
}

export interface LocalReply {
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers: readonly Pair[];
  /** -1: none given. */
  readonly grpcStatus: number;
  readonly details: string;
}

/** What host calls work on: the plugin as a whole, or one stream. */
export interface Context {
  readonly id: number;
  readonly root: RootContext;
  /** In the log phase a missing map answers NotFound, else BadArgument. */
  readonly logPhase: boolean;
  mapToRead(type: number): HeaderMap | null;
  mapToWrite(type: number): HeaderMap | null;
  /** The module changed a map that `mapToWrite` gave. */
  mutated(type: number): void;
  buffer(type: number): BodyBuffer | null;
  property(path: readonly string[]): Uint8Array | null;
  /** Takes effect after the callback. */
  continueStream(type: number): number;
  closeStream(type: number): number;
  sendLocalReply(reply: LocalReply): void;
}

/** Identity of a root context within a VM: another configuration makes another root. */
export function pluginKey(plugin: Plugin): string {
  return `${plugin.rootId}||${Buffer.from(plugin.configuration).toString('latin1')}`;
}

/** Root context of one plugin in one VM. Call-outs belong to it, whichever stream asked for them. */
export class RootContext implements Context {
  readonly id: number;
  readonly vm: Vm;
  readonly plugin: Plugin;
  readonly node: Node;
  readonly logPhase = false;
  readonly calls = new Map<number, PendingCall>();
  /** Streams under this root; it outlives a change of configuration until the last is gone. */
  streams = 0;
  configuring = false;
  /** Answer that the callback at hand may read. */
  answer: Answer | null = null;
  status: { readonly code: number; readonly message: string } = { code: Result.Ok, message: '' };

  constructor(vm: Vm, id: number, plugin: Plugin, node: Node) {
    this.vm = vm;
    this.id = id;
    this.plugin = plugin;
    this.node = node;
  }

  get root(): RootContext {
    return this;
  }

  mapToRead(type: number): HeaderMap | null {
    if (type === HeaderMapType.CallOutHeaders) return this.answer?.headers ?? null;
    if (type === HeaderMapType.CallOutTrailers) return this.answer?.trailers ?? null;
    return null;
  }

  mapToWrite(): HeaderMap | null {
    return null;
  }

  mutated(): void {}

  buffer(type: number): BodyBuffer | null {
    if (type === BufferType.PluginConfiguration) return this.configuring ? new ConstantBuffer(this.plugin.configuration) : null;
    if (type === BufferType.VmConfiguration) return new ConstantBuffer(new Uint8Array());
    if (type === BufferType.CallOutBody) return this.answer === null ? null : new ConstantBuffer(this.answer.body);
    return null;
  }

  property(path: readonly string[]): Uint8Array | null {
    return rootProperty(this, path);
  }

  continueStream(): number {
    return Result.Ok;
  }

  closeStream(): number {
    return Result.Ok;
  }

  /** A root has no stream to answer: the host says Ok and does nothing. */
  sendLocalReply(): void {}
}
