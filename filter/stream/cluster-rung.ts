import { log } from "../abi/calls";
import { Action, HeaderMap, LogLevel } from "../abi/enums";
import { replaceHeader } from "../abi/headers";
import { encodePairs, HeaderPairs, statusOf } from "../abi/pairs";
import { isFieldValue } from "../domain/header-list";
import { judgeStatus } from "../domain/outcome";
import { RungKind, RungPolicy } from "../domain/policy";
import { isPassedOn } from "../domain/storability";
import { Feature } from "../proxy/feature";
import { Answer, give } from "./answer";
import { CallOut, callOuts } from "./call-out";
import { degradedHeaders, REROUTE } from "./degraded-headers";
import { Kept } from "./request-copy";
import { Stream } from "./stream";

/** Clusters whose route for REROUTE is missing in this Envoy: requests marked for them came back from elsewhere. */
const unroutable: string[] = [];

/** Whether the plugin configuration lets policies use this cluster: a policy writer must not reach any cluster of the mesh. */
export function isAllowed(stream: Stream, cluster: string): bool {
  const settings = stream.settings;
  return settings !== null && settings.fallbackClusters.indexOf(cluster) >= 0;
}

export function isRoutable(cluster: string): bool {
  return unroutable.indexOf(cluster) < 0;
}

/** The request goes on, marked; the route configuration sends marked requests to the cluster. Its body streams. */
export function reroute(stream: Stream, rung: RungPolicy): Action {
  replaceHeader(HeaderMap.Request, REROUTE, rung.cluster);
  stream.rerouted = true;
  stream.reroutedTo = rung.cluster;
  return Action.Continue;
}

/** The marked request was answered by another cluster: the route is missing, and marking again would reach the upstream again. */
export function routeIsMissing(cluster: string): void {
  if (!isRoutable(cluster)) return;
  unroutable.push(cluster);
  log(LogLevel.Error, "no route sends requests with " + REROUTE + ": " + cluster + " to that cluster; rung is skipped, call-outs are used");
}

/** Another configuration may have the route. */
export function forgetMissingRoutes(): void {
  unroutable.length = 0;
}

/** Tells the request again to the other cluster, while the stream waits; false: it cannot be told, or nobody may be asked now. */
export function callCluster(stream: Stream, feature: Feature, rung: RungPolicy): bool {
  const kept = stream.request;
  if (kept === null || !kept.isWhole || !stream.repeatable) return false;
  const path = kept.text(Kept.Path);
  const authority = kept.text(Kept.Authority);
  const accept = kept.text(Kept.Accept);
  // Nothing was noted for a rung that a new policy has brought since.
  if (path.length == 0 || !isFieldValue(path) || !isFieldValue(authority) || !isFieldValue(accept)) return false;
  const request = new HeaderPairs().add(":method", kept.isGet ? "GET" : "HEAD");
  request.add(":path", path).add(":authority", authority);
  if (accept.length > 0) request.add("accept", accept);
  return callOuts.wait(stream, new ClusterCall(feature, rung.cluster, request), rung.timeoutMs);
}

/** A request told again to another cluster. */
class ClusterCall extends CallOut {
  private status: i32 = 0;
  /** Serialised headers; null: no answer that could stand in. */
  private pairs: Uint8Array | null = null;
  private body: Uint8Array = new Uint8Array(0);

  take(headers: HeaderPairs | null, body: Uint8Array | null, nowMs: i64): void {
    const status = statusOf(headers);
    if (headers === null || body === null || status < 200 || judgeStatus(status, this.feature.policy.failure)) return;
    this.status = status;
    const kept = passedOn(headers);
    const age = headers.get("age");
    if (age !== null) kept.add("age", age);
    this.pairs = encodePairs(kept);
    this.body = body;
  }

  answer(stream: Stream): bool {
    const pairs = this.pairs;
    if (pairs === null) return false;
    const headers = degradedHeaders(this.feature.policy.name, stream.reason, RungKind.Cluster);
    give(stream, this.feature, RungKind.Cluster, Answer.Reply, this.status, pairs, headers, this.body);
    return true;
  }
}

/** Headers of a call-out's answer that may go to the client: not those of the connection, nor what the reply sets anew. */
export function passedOn(headers: HeaderPairs): HeaderPairs {
  const connection = headers.joined("connection");
  const kept = new HeaderPairs();
  for (let i = 0; i < headers.names.length; i++) {
    const name = headers.names[i];
    const value = headers.values[i];
    if (isPassedOn(name, value, connection === null ? "" : connection)) kept.add(name, value);
  }
  return kept;
}
