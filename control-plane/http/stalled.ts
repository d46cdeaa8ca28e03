import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/** Ends a stream whose reader has taken nothing for `afterMs`, and with it whatever the stream holds open. */
export function endIfStalled(response: ServerResponse, stream: Readable, afterMs: number): void {
  response.setTimeout(afterMs, () => stream.destroy(new Error(`the reader took nothing for ${afterMs} ms`)));
}
