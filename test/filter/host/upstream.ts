import type { FailureKind } from './envoy-failures.ts';
import { type HeaderInit, HeaderMap } from './header-map.ts';
import { bodyBytes, bodyText } from './text.ts';

/** An answer of an upstream as tests write it. */
export interface UpstreamAnswer {
  readonly status?: number;
  readonly headers?: HeaderInit;
  /** Absent: the headers end the stream. A list: one chunk each. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** HTTP/1.1 tells the end of a body by an empty chunk of its own. */
  readonly endsWithEmptyChunk?: boolean;
  readonly trailers?: HeaderInit;
}

/** What the stream does with an upstream's doings. */
export interface UpstreamEvents {
  headers(map: HeaderMap, end: boolean): void;
  data(bytes: Uint8Array, end: boolean): void;
  trailers(map: HeaderMap): void;
  /** Envoy answers in the upstream's place. */
  failed(kind: FailureKind): void;
  /** The answer breaks off after its headers. */
  broke(kind: 'reset' | 'timeout'): void;
}

/** A request as it reached an upstream, and the upstream's end of it. */
export class UpstreamRequest {
  readonly cluster: string;
  /** Headers as the upstream gets them, after the filter. */
  readonly headers: HeaderMap;
  readonly #events: UpstreamEvents;
  private chunks: Uint8Array[] = [];
  /** The whole request came. */
  ended = false;
  /** Envoy gave the request up. */
  cancelled = false;
  private progress: 'no' | 'headers' | 'all' = 'no';

  constructor(cluster: string, headers: HeaderMap, events: UpstreamEvents) {
    this.cluster = cluster;
    this.headers = headers;
    this.#events = events;
  }

  get path(): string {
    return this.headers.get(':path') ?? '';
  }

  get body(): string {
    return bodyText(Buffer.concat(this.chunks));
  }

  get answered(): 'no' | 'headers' | 'all' {
    return this.progress;
  }

  takeData(bytes: Uint8Array): void {
    this.chunks.push(bytes);
  }

  answer({ status = 200, headers = {}, body, endsWithEmptyChunk = false, trailers }: UpstreamAnswer = {}): void {
    const chunks = body === undefined ? [] : [body].flat().map((chunk) => bodyBytes(chunk as string | Uint8Array));
    if (endsWithEmptyChunk) chunks.push(new Uint8Array());
    this.sendHeaders({ ':status': String(status), ...headers }, chunks.length === 0 && trailers === undefined);
    for (const [i, chunk] of chunks.entries()) this.sendData(chunk, trailers === undefined && i === chunks.length - 1);
    if (trailers !== undefined) this.sendTrailers(trailers);
  }

  sendHeaders(init: HeaderInit, end: boolean): void {
    if (this.cancelled) return;
    this.progress = end ? 'all' : 'headers';
    this.#events.headers(HeaderMap.of(init), end);
  }

  sendData(data: string | Uint8Array, end: boolean): void {
    if (this.cancelled) return;
    if (end) this.progress = 'all';
    this.#events.data(bodyBytes(data), end);
  }

  sendTrailers(init: HeaderInit): void {
    if (this.cancelled) return;
    this.progress = 'all';
    this.#events.trailers(HeaderMap.of(init));
  }

  /** Envoy gives up on the upstream before its headers. */
  fail(kind: FailureKind): void {
    if (this.cancelled || this.progress !== 'no') return;
    this.progress = 'all';
    this.#events.failed(kind);
  }

  /** The answer breaks off in its body. */
  breakOff(kind: 'reset' | 'timeout' = 'reset'): void {
    if (this.cancelled || this.progress !== 'headers') return;
    this.progress = 'all';
    this.#events.broke(kind);
  }
}
