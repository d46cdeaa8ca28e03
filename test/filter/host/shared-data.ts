import { Result } from './enums.ts';

export interface SharedValue {
  readonly bytes: Uint8Array;
  /** Change mark; the counter is global and never 0. */
  readonly cas: number;
}

/**
 * Shared data of one proxy process. `cas` 0 writes whatever is there; another one must match an existing key, and **inserts a missing
 * one whatever it is**, so that an impossible one (0xffffffff) creates. Keys cannot be removed by modules.
 */
export class SharedData {
  readonly #vms = new Map<string, Map<string, SharedValue>>();
  #cas = 0;

  get(vmId: string, key: string): SharedValue | undefined {
    return this.#vms.get(vmId)?.get(key);
  }

  set(vmId: string, key: string, bytes: Uint8Array, cas: number): number {
    const values = this.#vms.get(vmId) ?? new Map<string, SharedValue>();
    this.#vms.set(vmId, values);
    const there = values.get(key);
    if (there !== undefined && cas !== 0 && cas !== there.cas) return Result.CasMismatch;
    values.set(key, { bytes: new Uint8Array(bytes), cas: this.#nextCas() });
    return Result.Ok;
  }

  keys(vmId: string): string[] {
    return [...(this.#vms.get(vmId)?.keys() ?? [])];
  }

  /** Bytes held for one vm_id: the host has no limit of its own, the tests do. */
  bytesHeld(vmId: string): number {
    let sum = 0;
    for (const [key, value] of this.#vms.get(vmId) ?? []) sum += key.length + value.bytes.length;
    return sum;
  }

  #nextCas(): number {
    this.#cas = (this.#cas + 1) >>> 0;
    if (this.#cas === 0) this.#cas = 1;
    return this.#cas;
  }
}
