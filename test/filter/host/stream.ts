import type { BodyBuffer } from './body-buffer.ts';
import { ClientView } from './client.ts';
import type { Context, LocalReply, RootContext } from './context.ts';
import { BufferType, HeaderMapType, Result, StreamType } from './enums.ts';
import { ENVOY_FAILURES, type FailureKind, Flag } from './envoy-failures.ts';
import { type HeaderInit, HeaderMap } from './header-map.ts';
import { prepareReply } from './local-reply.ts';
import { FilterPath } from './path.ts';
import { type StreamInfo, streamProperty } from './properties.ts';
import { type Route, Router, resolveRoute } from './router.ts';
import { StreamCallbacks } from './stream-callbacks.ts';
import { loggedMap, passingMap } from './stream-maps.ts';
import { bodyBytes } from './text.ts';
import type { UpstreamEvents, UpstreamRequest } from './upstream.ts';
import type { Vm } from './vm.ts';

/** What a stream needs of its proxy. */
export interface StreamHost {
  readonly routes: readonly Route[];
  readonly routeTimeoutMs: number;
  /** Something that goes wrong on a real Envoy was done. */
  hazard(text: string): void;
  /** A request's headers reached an upstream. */
  arrived(upstream: UpstreamRequest): void;
  /** The whole request is there. */
  complete(upstream: UpstreamRequest, stream: HttpStream): void;
  ended(stream: HttpStream): void;
}

/** One HTTP request and its answer, with this filter as the only one before the router. */
export class HttpStream implements Context {
  readonly id: number;
  readonly root: RootContext;
  readonly vm: Vm;
  readonly client = new ClientView();
  readonly request: HeaderMap;
  readonly info: StreamInfo;
  logPhase = false;
  readonly #host: StreamHost;
  readonly #router: Router;
  readonly #callbacks: StreamCallbacks;
  readonly #toUpstream: FilterPath;
  readonly #toClient: FilterPath;
  /** Answer's headers as the filter chain knows them; set before they are sent. */
  #response: HeaderMap | null = null;
  #over = false;
  /** The module has answered this stream. */
  #replied = false;

  constructor(root: RootContext, host: StreamHost, request: HeaderMap) {
    this.root = root;
    this.vm = root.vm;
    this.id = this.vm.newContextId();
    this.#host = host;
    this.request = request;
    const route = resolveRoute(host.routes, request);
    this.info = {
      flags: 0,
      codeDetails: null,
      responseCode: null,
      clusterName: route?.cluster ?? '',
      routeName: route?.name ?? '',
      connectionId: this.id,
    };
    this.#router = new Router(this.vm.process.clock, host.routeTimeoutMs, (upstream) => host.complete(upstream, this));
    this.#callbacks = new StreamCallbacks(this.vm, this, () => this.#orphan());
    this.#toUpstream = new FilterPath(this.#callbacks.path('request'), {
      headers: (map, end) => this.#route(map, end),
      data: (bytes, end) => this.#router.data(bytes, end),
      trailers: () => this.#router.end(),
    });
    this.#toClient = new FilterPath(this.#callbacks.path('response'), {
      headers: (map, end) => this.#sendHeaders(map, end),
      data: (bytes, end) => this.#sendData(bytes, end),
      trailers: (map) => {
        this.client.trailers = map;
        this.#finish();
      },
    });
    this.vm.contexts.set(this.id, this);
    root.streams++;
    this.#callbacks.create(root.id);
  }

  /** The request as it reached the upstream; null while the filter holds it or after it answered itself. */
  get upstream(): UpstreamRequest | null {
    return this.#router.upstream;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The filter holds the request or the answer. */
  get held(): 'request' | 'response' | null {
    if (this.#over) return null;
    return this.#toUpstream.holding ? 'request' : this.#toClient.holding ? 'response' : null;
  }

  // What the client does.

  start(end: boolean): void {
    this.#toUpstream.headers(this.request, end);
  }

  sendBody(body: string | Uint8Array, end = true): void {
    this.#toUpstream.data(bodyBytes(body), end);
  }

  sendTrailers(trailers: HeaderInit): void {
    this.#toUpstream.trailers(HeaderMap.of(trailers));
  }

  /** The client goes away. */
  cancel(): void {
    if (this.#over) return;
    this.info.flags |= Flag.DownstreamTermination;
    this.client.broken = 'cancelled';
    this.#end();
  }

  // What host calls see and do.

  mapToRead(type: number): HeaderMap | null {
    if (type > HeaderMapType.ResponseTrailers) return this.root.mapToRead(type);
    return this.logPhase ? loggedMap(type, this.request, this.client) : this.mapToWrite(type);
  }

  mapToWrite(type: number): HeaderMap | null {
    return passingMap(type, this.#toUpstream, this.#toClient);
  }

  mutated(type: number): void {
    const late = type === HeaderMapType.ResponseHeaders && (this.#toClient.holding || this.client.headers !== null);
    // Seen on a real Envoy: an answer that was held for a call-out and then rewritten hangs.
    if (late) this.#host.hazard(`stream ${this.id}: answer rewritten after it was held or sent`);
  }

  buffer(type: number): BodyBuffer | null {
    if (type === BufferType.RequestBody) return this.#toUpstream.chunk;
    if (type === BufferType.ResponseBody) return this.#toClient.chunk;
    return this.root.buffer(type);
  }

  property(path: readonly string[]): Uint8Array | null {
    const requestHeaders = this.mapToRead(HeaderMapType.RequestHeaders);
    const responseHeaders = this.mapToRead(HeaderMapType.ResponseHeaders);
    return streamProperty({ info: this.info, requestHeaders, responseHeaders }, path) ?? this.root.property(path);
  }

  continueStream(type: number): number {
    const path = type === StreamType.Request ? this.#toUpstream : this.#toClient;
    this.vm.afterCallback(() => {
      if (this.#replied) this.#host.hazard(`stream ${this.id}: continued after a local reply`);
      else if (!this.#over && !path.resume()) this.#host.hazard(`stream ${this.id}: continued without being held`);
    });
    this.#toUpstream.map = null;
    return Result.Ok;
  }

  closeStream(): number {
    this.vm.afterCallback(() => this.#break('closed by the module'));
    return Result.Ok;
  }

  /** The module's own answer. Where it ends up depends on how far the upstream's has come. */
  sendLocalReply(reply: LocalReply): void {
    if (this.#over) return;
    if (this.#replied) this.#host.hazard(`stream ${this.id}: second local reply`);
    this.#replied = true;
    this.#reply(reply);
  }

  #reply(reply: LocalReply): void {
    this.info.codeDetails = reply.details;
    this.#toUpstream.cut();
    if (this.client.headers !== null) {
      this.#host.hazard(`stream ${this.id}: local reply after the headers were sent`);
      this.#break('local reply after headers');
      return;
    }
    const { headers, body } = prepareReply(reply, this.request);
    const direct = this.#response !== null;
    this.#response = headers;
    if (direct) {
      this.#toClient.cut();
      this.#sendHeaders(headers, body.length === 0);
      if (body.length > 0) this.#sendData(body, true);
    } else {
      this.#toClient.headers(headers, body.length === 0);
      if (body.length > 0) this.#toClient.data(body, true);
    }
  }

  // What the router and the upstream do.

  #route(headers: HeaderMap, end: boolean): void {
    const route = resolveRoute(this.#host.routes, headers);
    if (route === null) {
      this.#fail('no-route');
      return;
    }
    this.info.clusterName = route.cluster;
    this.info.routeName = route.name;
    const upstream = this.#router.open(route.cluster, headers, this.#upstreamEvents());
    this.#host.arrived(upstream);
    if (end) this.#router.end();
  }

  #upstreamEvents(): UpstreamEvents {
    return {
      headers: (map, end) => {
        this.#response = map;
        this.info.codeDetails = 'via_upstream';
        this.info.responseCode = Number(map.get(':status'));
        this.#toClient.headers(map, end);
      },
      data: (bytes, end) => this.#toClient.data(bytes, end),
      trailers: (map) => this.#toClient.trailers(map),
      failed: (kind) => this.#fail(kind),
      broke: (kind) => {
        this.info.flags |= kind === 'timeout' ? Flag.UpstreamTimeout : Flag.UpstreamProtocolError;
        if (this.client.headers === null) this.#answerBrokenWhileHeld();
        this.#break(`upstream ${kind} in the body`);
      },
    };
  }

  #fail(kind: FailureKind): void {
    const { status, flags, details, body } = ENVOY_FAILURES[kind];
    this.info.flags |= flags;
    this.#reply({ status, details, body: bodyBytes(body), headers: [], grpcStatus: -1 });
  }

  /** The upstream dies while the filter holds its headers: the client gets Envoy's 502, and the stream is gone. */
  #answerBrokenWhileHeld(): void {
    this.#toClient.cut();
    this.client.headers = HeaderMap.of({ ':status': '502' });
    this.client.ended = true;
    this.info.responseCode = 502;
  }

  // What reaches the client.

  #sendHeaders(map: HeaderMap, end: boolean): void {
    this.client.headers = map;
    this.info.responseCode = this.client.status;
    if (end) this.#finish();
  }

  #sendData(bytes: Uint8Array, end: boolean): void {
    this.client.takeData(bytes);
    if (end) this.#finish();
  }

  #finish(): void {
    this.client.ended = true;
    this.#end();
  }

  #break(why: string): void {
    if (!this.client.ended) this.client.broken ??= why;
    this.#end();
  }

  /** Log, done, delete, in this order, each once. */
  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#toUpstream.cut();
    this.#toClient.cut();
    this.#router.close();
    this.logPhase = true;
    this.#callbacks.log();
    this.logPhase = false;
    this.#callbacks.close();
    this.vm.contexts.delete(this.id);
    this.root.streams--;
    this.#host.ended(this);
  }

  /** The VM is dead: 503, or a broken answer when its headers are out. */
  #orphan(): void {
    if (this.#over) return;
    const reply = { status: 503, body: new Uint8Array(), headers: [], grpcStatus: 14, details: 'wasm_fail_stream' };
    if (this.client.headers === null) this.#reply(reply);
    else this.#break('wasm_fail_stream');
  }
}
