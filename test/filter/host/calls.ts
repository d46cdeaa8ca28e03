import type { ManualClock, Timer } from './clock.ts';
import type { RootContext } from './context.ts';
import { Result } from './enums.ts';
import { type HeaderInit, HeaderMap } from './header-map.ts';
import { bodyBytes, bodyText } from './text.ts';

export interface Answer {
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  readonly trailers: HeaderMap | null;
}

/** An answer as tests write it. */
export interface AnswerInit {
  readonly status?: number;
  readonly headers?: HeaderInit;
  readonly body?: string | Uint8Array;
  /** Ms on the wire; an answer never arrives within the call itself. Default 1. */
  readonly afterMs?: number;
}

/** Answers the call-outs to one cluster; may keep the call and answer later, or never. */
export type ClusterHandler = (call: PendingCall) => void;

/** Clusters that call-outs can name. `unhealthy`: known, but without a host to call. */
export class Clusters {
  readonly #handlers = new Map<string, ClusterHandler | 'unhealthy'>();

  set(name: string, handler: ClusterHandler | 'unhealthy'): void {
    this.#handlers.set(name, handler);
  }

  remove(name: string): void {
    this.#handlers.delete(name);
  }

  get(name: string): ClusterHandler | 'unhealthy' | undefined {
    return this.#handlers.get(name);
  }
}

/** One HTTP call-out in flight. */
export class PendingCall {
  readonly root: RootContext;
  readonly token: number;
  readonly cluster: string;
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly startedAtMs: number;
  state: 'open' | 'answered' | 'reset' | 'timed-out' | 'cancelled' = 'open';
  readonly #clock: ManualClock;
  #timer: Timer | null = null;

  constructor(clock: ManualClock, root: RootContext, token: number, request: CallRequest) {
    this.#clock = clock;
    this.root = root;
    this.token = token;
    this.cluster = request.cluster;
    this.headers = request.headers;
    this.body = request.body;
    this.timeoutMs = request.timeoutMs;
    this.startedAtMs = clock.nowMs;
    if (this.timeoutMs > 0) {
      // The timeout comes as an ordinary answer, made by Envoy.
      this.#timer = clock.after(this.timeoutMs, () => this.#end('timed-out', envoyAnswer(504, 'upstream request timeout')));
    }
  }

  get method(): string {
    return this.headers.get(':method') ?? '';
  }

  get path(): string {
    return this.headers.get(':path') ?? '';
  }

  get text(): string {
    return bodyText(this.body);
  }

  respond(init: AnswerInit = {}): void {
    const body = bodyBytes(init.body ?? '');
    const headers = HeaderMap.of({ ':status': String(init.status ?? 200), ...init.headers });
    this.#later(init.afterMs ?? 1, () => this.#end('answered', { headers, body, trailers: null }));
  }

  /** Nobody listens at the other end: like the timeout an ordinary answer, made by Envoy. */
  refuse(): void {
    this.#later(1, () => this.#end('answered', envoyAnswer(503, 'upstream connect error or disconnect/reset before headers')));
  }

  /** The connection breaks, or the answer is too large: a callback without headers. */
  reset(): void {
    this.#later(1, () => this.#end('reset', null));
  }

  /** The root context is gone: no callback. */
  cancel(): void {
    if (this.state === 'open') this.state = 'cancelled';
    this.#timer?.cancel();
  }

  #later(ms: number, run: () => void): void {
    this.#clock.after(ms, run);
  }

  #end(state: 'answered' | 'reset' | 'timed-out', answer: Answer | null): void {
    if (this.state !== 'open') return;
    this.state = state;
    this.#timer?.cancel();
    deliver(this, answer);
  }
}

function envoyAnswer(status: number, text: string): Answer {
  const body = bodyBytes(text);
  const headers = HeaderMap.of({ ':status': String(status), 'content-length': String(body.length), 'content-type': 'text/plain' });
  return { headers, body, trailers: null };
}

export interface CallRequest {
  readonly cluster: string;
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

/** Starts a call; a number is the result that refuses it at once, after which no callback comes. */
export function startCall(
  clock: ManualClock,
  root: RootContext,
  clusters: Clusters,
  token: number,
  request: CallRequest,
): PendingCall | number {
  if (request.timeoutMs < 0) return Result.BadArgument;
  const handler = clusters.get(request.cluster);
  if (handler === undefined) return Result.BadArgument;
  if ([':method', ':path', ':authority'].some((name) => request.headers.get(name) === undefined)) return Result.BadArgument;
  if (handler === 'unhealthy') return Result.InternalFailure;
  const call = new PendingCall(clock, root, token, request);
  root.calls.set(token, call);
  handler(call);
  return call;
}

function deliver(call: PendingCall, answer: Answer | null): void {
  const { root, token } = call;
  root.answer = answer;
  if (answer === null) root.status = { code: Result.BrokenConnection, message: 'reset' };
  root.vm.afterCallback(() => {
    root.answer = null;
    root.status = { ...root.status, message: '' };
    root.calls.delete(token);
  });
  root.vm.callback(
    root,
    'proxy_on_http_call_response',
    root.id,
    token,
    answer?.headers.size ?? 0,
    answer?.body.length ?? 0,
    answer?.trailers?.size ?? 0,
  );
}
