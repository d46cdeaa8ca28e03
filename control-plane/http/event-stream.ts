import { Readable } from 'node:stream';

/** Bytes that may wait for a slow reader. */
const MAX_WAITING = 256 * 1024;

/** A stream of server-sent events. A reader that does not keep up is cut off: it comes back and says what it saw last. */
export class EventStream extends Readable {
  override _read(): void {
    // Events are pushed as they come.
  }

  /** Sends one event; whether the reader still keeps up. */
  tell(event: string, data: unknown, id?: string): boolean {
    return this.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Keeps proxies on the way from taking the connection for dead, and finds readers that are gone. */
  heartbeat(): boolean {
    return this.write(': heartbeat\n\n');
  }

  /** Tells the reader how soon to come back when the stream breaks. */
  retryAfter(ms: number): boolean {
    return this.write(`retry: ${ms}\n\n`);
  }

  end(): void {
    this.push(null);
  }

  private write(text: string): boolean {
    if (this.destroyed || this.readableEnded) return false;
    this.push(text);
    if (this.readableLength <= MAX_WAITING) return true;
    this.destroy();
    return false;
  }
}
