import { Result } from './enums.ts';

/** A piece of a body that the module may read and, while it passes, change. */
export class BodyBuffer {
  bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  append(bytes: Uint8Array): void {
    this.bytes = this.bytes.length === 0 ? bytes : Buffer.concat([this.bytes, bytes]);
  }

  /**
   * Envoy's `Buffer::copyFrom`: from 0 over the whole length replaces, from 0 over nothing puts in front, from the end or beyond
   * appends. Anything else is refused.
   */
  replace(start: number, length: number, data: Uint8Array): number {
    const copy = new Uint8Array(data);
    if (start === 0 && length === 0) this.bytes = Buffer.concat([copy, this.bytes]);
    else if (start === 0 && length >= this.bytes.length) this.bytes = copy;
    else if (start !== 0 && start >= this.bytes.length) this.append(copy);
    else return Result.BadArgument;
    return Result.Ok;
  }
}

/** A buffer that cannot be changed: configuration, answer to a call-out. */
export class ConstantBuffer extends BodyBuffer {
  override replace(): number {
    return Result.BadArgument;
  }
}
