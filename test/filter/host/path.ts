import { BodyBuffer } from './body-buffer.ts';
import { DataAction, HeadersAction } from './enums.ts';
import type { HeaderMap } from './header-map.ts';

/** Calls of the filter's callbacks for one direction; each answers an action. */
export interface PathCalls {
  headers(count: number, end: boolean): number;
  body(size: number, end: boolean): number;
  trailers(count: number): number;
}

/** Where the direction leads: the router, or the client. */
export interface PathSink {
  headers(map: HeaderMap, end: boolean): void;
  data(bytes: Uint8Array, end: boolean): void;
  trailers(map: HeaderMap): void;
}

/**
 * One direction of a stream through the filter. Headers held by the filter hold all that follows; when they go on, they pass without
 * another callback, and the body that gathered meanwhile comes to the filter in one piece.
 */
export class FilterPath {
  readonly #calls: PathCalls;
  readonly #sink: PathSink;
  /** What header calls of the module see; null outside of its time. */
  map: HeaderMap | null = null;
  /** What buffer calls of the module see. */
  chunk: BodyBuffer | null = null;
  trailerMap: HeaderMap | null = null;
  #held: { readonly map: HeaderMap; readonly end: boolean } | null = null;
  #waiting: { readonly bytes: BodyBuffer; end: boolean } | null = null;
  #waitingTrailers: HeaderMap | null = null;
  /** Body that the filter stopped and the host keeps. */
  #kept: BodyBuffer | null = null;
  #cut = false;

  constructor(calls: PathCalls, sink: PathSink) {
    this.#calls = calls;
    this.#sink = sink;
  }

  get holding(): boolean {
    return this.#held !== null;
  }

  headers(map: HeaderMap, end: boolean): void {
    this.map = map;
    const action = this.#calls.headers(map.size, end);
    if (this.#cut) return;
    if (action === HeadersAction.Continue || action === HeadersAction.ContinueAndEndStream) {
      this.map = null;
      this.#sink.headers(map, end);
    } else {
      this.#held = { map, end };
    }
  }

  data(bytes: Uint8Array, end: boolean): void {
    if (this.#cut) return;
    if (this.#held === null) {
      this.#pass(bytes, end);
    } else if (this.#waiting === null) {
      this.#waiting = { bytes: new BodyBuffer(bytes), end };
    } else {
      this.#waiting.bytes.append(bytes);
      this.#waiting.end = end;
    }
  }

  trailers(map: HeaderMap): void {
    if (this.#cut) return;
    if (this.#held !== null) {
      this.#waitingTrailers = map;
      return;
    }
    this.trailerMap = map;
    const action = this.#calls.trailers(map.size);
    if (this.#cut || action !== HeadersAction.Continue) return;
    this.trailerMap = null;
    this.#sink.trailers(map);
  }

  /** Lets held headers go on. False: nothing was held. */
  resume(): boolean {
    const held = this.#held;
    if (held === null || this.#cut) return false;
    this.#held = null;
    this.#sink.headers(held.map, held.end && this.#waiting === null && this.#waitingTrailers === null);
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null && !this.#cut) this.#pass(waiting.bytes.bytes, waiting.end);
    if (this.#waitingTrailers !== null && !this.#cut) this.trailers(this.#waitingTrailers);
    return true;
  }

  /** Nothing passes any more: the stream was answered otherwise, or is gone. */
  cut(): void {
    this.#cut = true;
  }

  #pass(bytes: Uint8Array, end: boolean): void {
    const kept = this.#kept;
    this.chunk = new BodyBuffer(bytes);
    if (kept !== null) this.chunk.bytes = Buffer.concat([kept.bytes, bytes]);
    const action = this.#calls.body(this.chunk.size, end);
    if (this.#cut) return;
    const passed = this.chunk;
    this.#kept = action === DataAction.StopAndBuffer || action === DataAction.StopAndWatermark ? passed : null;
    if (action !== DataAction.Continue) return;
    this.chunk = null;
    this.#sink.data(passed.bytes, end);
  }
}
