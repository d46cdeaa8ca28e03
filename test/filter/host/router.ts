import type { ManualClock, Timer } from './clock.ts';
import type { HeaderMap } from './header-map.ts';
import { type UpstreamEvents, UpstreamRequest } from './upstream.ts';

export interface Route {
  readonly name: string;
  readonly cluster: string;
  /** Header that a request must carry to take this route; `value` absent: any. */
  readonly header?: { readonly name: string; readonly value?: string };
}

/** First route whose header match holds; null: none. */
export function resolveRoute(routes: readonly Route[], headers: HeaderMap): Route | null {
  const matches = ({ header }: Route) => {
    const value = header === undefined ? '' : headers.get(header.name);
    return value !== undefined && (header?.value === undefined || header.value === value);
  };
  return routes.find(matches) ?? null;
}

/** The end of the filter chain: opens the request at the upstream and watches its time. */
export class Router {
  readonly #clock: ManualClock;
  readonly #timeoutMs: number;
  readonly #complete: (upstream: UpstreamRequest) => void;
  #timer: Timer | null = null;
  upstream: UpstreamRequest | null = null;

  /** `timeoutMs` runs from the end of the request to the end of the answer, as a route's timeout does; 0: none. */
  constructor(clock: ManualClock, timeoutMs: number, complete: (upstream: UpstreamRequest) => void) {
    this.#complete = complete;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  open(cluster: string, headers: HeaderMap, events: UpstreamEvents): UpstreamRequest {
    this.upstream = new UpstreamRequest(cluster, headers.copy(), events);
    return this.upstream;
  }

  data(bytes: Uint8Array, end: boolean): void {
    this.upstream?.takeData(bytes);
    if (end) this.end();
  }

  end(): void {
    const upstream = this.upstream;
    if (upstream === null) return;
    upstream.ended = true;
    if (this.#timeoutMs > 0) {
      this.#timer = this.#clock.after(this.#timeoutMs, () => {
        upstream.fail('timeout');
        upstream.breakOff('timeout');
      });
    }
    this.#complete(upstream);
  }

  /** The stream is over: what is left of the request is given up. */
  close(): void {
    this.#timer?.cancel();
    if (this.upstream !== null && this.upstream.answered !== 'all') this.upstream.cancelled = true;
  }
}
