import type { HeaderMap } from './header-map.ts';
import { bodyText } from './text.ts';

/** What the client sees of the answer. */
export class ClientView {
  headers: HeaderMap | null = null;
  trailers: HeaderMap | null = null;
  /** The whole answer came. */
  ended = false;
  /** Why the stream broke; null: it did not. */
  broken: string | null = null;
  private chunks: Uint8Array[] = [];

  /** 0: no answer yet. */
  get status(): number {
    return Number(this.headers?.get(':status') ?? 0);
  }

  header(name: string): string | undefined {
    return this.headers?.get(name);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }

  get body(): string {
    return bodyText(this.bytes);
  }

  get hangs(): boolean {
    return !this.ended && this.broken === null;
  }

  takeData(bytes: Uint8Array): void {
    if (bytes.length > 0) this.chunks.push(new Uint8Array(bytes));
  }
}
