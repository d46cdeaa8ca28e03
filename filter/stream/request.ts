import { arena, copyBytes } from "../abi/memory";
import { Action, HeaderMap } from "../abi/enums";
import { allHeaders, hasHeader, putText, range, rangeText, readHeader, readProperty, removeHeader, replaceHeader, utf8 } from "../abi/headers";
import { monotonicMs } from "../abi/clock";
import { Gate, Refusal } from "../domain/admission";
import { ChainPhase } from "../domain/fallback-chain";
import { Mode, Protocol } from "../domain/policy";
import { isFieldValue } from "../domain/header-list";
import { hostMatches } from "../domain/host-match";
import { RequestView } from "../domain/request-view";
import { hash64 } from "../domain/sip-hash";
import { Count } from "../proxy/counters";
import { Feature, KEY_BYTES } from "../proxy/feature";
import { Pass } from "../proxy/feature-breaker";
import { Service } from "../proxy/service";
import { ServiceSettings, Settings } from "../settings";
import { Ended } from "../telemetry/feature-metrics";
import { countUnmatched } from "../telemetry/service-metrics";
import { cookieHash } from "./cookie";
import { REROUTE } from "./degraded-headers";
import { Answer } from "./answer";
import { degrade } from "./fallback";
import { streams } from "./pool";
import { Kept } from "./request-copy";
import { Form, Stream } from "./stream";

const MARK = utf8(REROUTE);
const PATH = utf8(":path");
const METHOD = utf8(":method");
const AUTHORITY = utf8(":authority");
const ACCEPT = utf8("accept");
const CONTENT_TYPE = utf8("content-type");
const IF_MODIFIED_SINCE = utf8("if-modified-since");
const IF_NONE_MATCH = utf8("if-none-match");
const TE = utf8("te");
const AUTHORIZATION = utf8("authorization");
const RANGE = utf8("range");
const CACHE_CONTROL = utf8("cache-control");
const COOKIE = utf8("cookie");
const UPGRADE = utf8("upgrade");
const CLUSTER_NAME = utf8("xds\0cluster_name");

/** Fixed, so that all proxies of a fleet put a user on the same side of a share. */
const STICKY_KEY0: u64 = 0x72656b696e646c65;
const STICKY_KEY1: u64 = 0x737469636b790000;

const view: RequestView = new RequestView();
view.bytes = arena;

/** Names of vary headers as the host wants them, and their ranges, for the feature at hand. */
const varyRanges: StaticArray<i32> = new StaticArray<i32>(16);

/** A request's headers: to which feature it belongs, and whether it goes to the upstream. */
export function onRequest(id: u32, endOfStream: bool, settings: Settings, services: Service[]): Action {
  // Only the filter marks requests for a fallback cluster; the client's own mark must not choose a route.
  if (settings.fallbackClusters.length > 0 && hasHeader(HeaderMap.Request, MARK)) removeHeader(HeaderMap.Request, MARK);
  if (settings.mode == Mode.Off) return Action.Continue;
  if (!readHeader(HeaderMap.Request, PATH)) return Action.Continue;
  view.pathStart = range.start;
  view.pathEnd = range.end;
  view.hostStart = 0;
  view.hostEnd = 0;
  view.methodStart = 0;
  view.methodEnd = 0;
  const service = serviceOf(settings, services);
  let feature: Feature | null = null;
  if (service !== null) feature = featureOf(service);
  if (service === null || feature === null) {
    countUnmatched();
    return Action.Continue;
  }
  if (feature.policy.mode == Mode.Off) return Action.Continue;
  const stream = streams.open(id);
  stream.feature = feature;
  stream.service = service;
  stream.settings = settings;
  stream.shadow = settings.mode == Mode.Shadow || feature.policy.mode == Mode.Shadow;
  stash(stream, feature, endOfStream);
  return admit(stream, feature, service, endOfStream);
}

function serviceOf(settings: Settings, services: Service[]): Service | null {
  for (let i = 0; i < services.length; i++) {
    const entry = settings.services[i];
    if (entry.hosts.length == 0 && entry.clusters.length == 0) return services[i];
    if (entry.hosts.length > 0 && hasHost(entry)) return services[i];
    if (entry.clusters.length > 0 && hasCluster(entry)) return services[i];
  }
  return null;
}

function hasHost(entry: ServiceSettings): bool {
  readHost();
  for (let i = 0; i < entry.hosts.length; i++) {
    if (hostMatches(arena, view.hostStart, view.hostEnd, entry.hosts[i])) return true;
  }
  return false;
}

function hasCluster(entry: ServiceSettings): bool {
  if (!readProperty(CLUSTER_NAME)) return false;
  return entry.clusters.indexOf(rangeText()) >= 0;
}

function readHost(): void {
  if (view.hostEnd > view.hostStart || !readHeader(HeaderMap.Request, AUTHORITY)) return;
  view.hostStart = range.start;
  view.hostEnd = range.end;
}

function readMethod(): void {
  if (view.methodEnd > view.methodStart || !readHeader(HeaderMap.Request, METHOD)) return;
  view.methodStart = range.start;
  view.methodEnd = range.end;
}

function featureOf(service: Service): Feature | null {
  const matcher = service.matcher;
  if (matcher.needsHost) readHost();
  if (matcher.needsMethod) readMethod();
  const at = matcher.match(view);
  return at < 0 || at >= service.features.length ? null : service.features[at];
}

/** Keeps what the response phase needs: Envoy forgets the request's headers by then. */
function stash(stream: Stream, feature: Feature, endOfStream: bool): void {
  const stale = feature.stale;
  const keys = feature.keys;
  if (!endOfStream && (feature.policy.fallback.length > 0 || feature.policy.protocol != Protocol.Http)) stream.form = formOf(feature);
  if (stale === null && !feature.tellsOthers && !feature.negotiates) return;
  readHost();
  readMethod();
  const isGet = methodIs("GET");
  stream.repeatable = endOfStream && (isGet || methodIs("HEAD"));
  if (stale !== null && keys !== null && stream.repeatable) {
    stream.isGet = isGet;
    const length = readVary(stale.varyHeaders) ? keys.write(view, varyRanges) : 0;
    if (length > 0) {
      copyBytes(stream.key, KEY_BYTES, length);
      stream.keyLength = length;
    }
  }
  keep(stream, feature, isGet);
}

/** Keeps what decides whether the upstream's answer may be stored; a refused request will have none. */
function stashStoring(stream: Stream): void {
  stream.authorized = hasHeader(HeaderMap.Request, AUTHORIZATION);
  stream.cookied = hasHeader(HeaderMap.Request, COOKIE);
  stream.ranged = hasHeader(HeaderMap.Request, RANGE);
  const controls = hasHeader(HeaderMap.Request, CACHE_CONTROL);
  // One that cannot be read may forbid storing.
  stream.cacheControl = !controls ? "" : readHeader(HeaderMap.Request, CACHE_CONTROL) ? rangeText() : "no-store";
}

function methodIs(method: string): bool {
  const length = view.methodEnd - view.methodStart;
  if (length != method.length) return false;
  for (let i = 0; i < length; i++) if (arena[view.methodStart + i] != <u8>method.charCodeAt(i)) return false;
  return true;
}

/** All values of each header count, joined: a lookup by name would give the first alone. False: they cannot be read. */
function readVary(names: string[]): bool {
  if (names.length == 0) return true;
  const headers = allHeaders(HeaderMap.Request);
  if (headers === null) return false;
  for (let i = 0; i < names.length && 2 * i + 1 < varyRanges.length; i++) {
    const values = headers.joined(names[i]);
    if (values !== null && (!isFieldValue(values) || !putText(values))) return false;
    varyRanges[2 * i] = values === null ? -1 : range.start;
    varyRanges[2 * i + 1] = values === null ? -1 : range.end;
  }
  return true;
}

/** Notes what the chain may need, only where its policy can use it. */
function keep(stream: Stream, feature: Feature, isGet: bool): void {
  const mayBeTold = feature.tellsOthers && stream.repeatable;
  if (mayBeTold) {
    const copy = stream.keptRequest();
    copy.isGet = isGet;
    copy.note(Kept.Path, view.pathStart, view.pathEnd);
    copy.note(Kept.Authority, view.hostStart, view.hostEnd);
  }
  if (mayBeTold || feature.negotiates) keepHeader(stream, Kept.Accept, ACCEPT);
  if (stream.keyLength == 0) return;
  if (!keepHeader(stream, Kept.IfNoneMatch, IF_NONE_MATCH)) keepHeader(stream, Kept.IfModifiedSince, IF_MODIFIED_SINCE);
}

/** Of a repeated header the first value. False: there is none. */
function keepHeader(stream: Stream, field: Kept, name: ArrayBuffer): bool {
  if (!readHeader(HeaderMap.Request, name)) return false;
  stream.keptRequest().note(field, range.start, range.end);
  return true;
}

/** What kind of exchange a request with a body to come begins. */
function formOf(feature: Feature): Form {
  if (feature.policy.protocol != Protocol.Http) return Form.Grpc;
  if (hasHeader(HeaderMap.Request, UPGRADE)) return Form.Tunnel;
  // Each gRPC request has it, hardly another one.
  if (!hasHeader(HeaderMap.Request, TE) || !readHeader(HeaderMap.Request, CONTENT_TYPE)) return Form.Plain;
  return rangeText().startsWith("application/grpc") ? Form.Grpc : Form.Plain;
}

function admit(stream: Stream, feature: Feature, service: Service, endOfStream: bool): Action {
  const breaker = feature.breaker;
  const sticky = breaker.gate() == Gate.Share ? stickyHash(feature) : 0;
  const pass = breaker.admit(sticky, service.nowMs);
  if (pass == Pass.None && !stream.shadow) return refuse(stream, feature, service);
  if (pass == Pass.None) feature.metrics.countDetected(reasonOf(breaker.refusal()));
  stream.pass = pass == Pass.None ? Pass.Unjudged : pass;
  if (stream.keyLength > 0) stashStoring(stream);
  stream.epoch = breaker.record.epoch;
  stream.step = feature.counters.step;
  feature.counters.add(Count.Admitted);
  if (endOfStream) stream.sentAtMs = monotonicMs();
  else if (feature.policy.failure.slowMs > 0 && hasHeader(HeaderMap.Request, UPGRADE)) timeUpgrade(stream, feature);
  // The budget must hold at the upstream, and an overload must not feed itself.
  if (breaker.withholdsRetries() && !stream.shadow) {
    replaceHeader(HeaderMap.Request, "x-envoy-max-retries", "0");
    feature.metrics.countRetriesWithheld();
  }
  return Action.Continue;
}

/** An upgraded request ends with its connection: it is timed from its headers, or not at all. (So are CONNECTs that have a path.) */
function timeUpgrade(stream: Stream, feature: Feature): void {
  if (feature.policy.failure.slowStreams) stream.sentAtMs = monotonicMs();
  stream.untimed = true;
}

function refuse(stream: Stream, feature: Feature, service: Service): Action {
  feature.counters.add(Count.Refused);
  feature.metrics.count(Ended.Refused);
  stream.reason = reasonOf(feature.breaker.refusal());
  return degrade(stream, feature, ChainPhase.Request, Answer.Reply, service.nowMs);
}

/** Index into DEGRADED_REASONS: open, disabled, share. */
function reasonOf(refusal: Refusal): i32 {
  return refusal == Refusal.Disabled ? 1 : refusal == Refusal.Share ? 2 : 0;
}

/** Hash of the value that keeps a user on one side of the share; 0: none, each request is drawn by itself. */
function stickyHash(feature: Feature): u64 {
  const policy = feature.policy;
  if (policy.stickyHeader.length > 0) {
    if (!readHeader(HeaderMap.Request, utf8(policy.stickyHeader)) || range.end == range.start) return 0;
    return hash64(arena, range.start, range.end, STICKY_KEY0, STICKY_KEY1) | 1;
  }
  if (policy.stickyCookie.length == 0 || !readHeader(HeaderMap.Request, COOKIE)) return 0;
  return cookieHash(arena, range.start, range.end, policy.stickyCookie, STICKY_KEY0, STICKY_KEY1);
}

/** The request's last byte has come: from here the upstream's time runs. */
export function onRequestEnd(id: u32): void {
  const stream = streams.get(id);
  if (stream !== null && stream.pass != Pass.None && !stream.untimed) stream.sentAtMs = monotonicMs();
}
