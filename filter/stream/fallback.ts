import { readBuffer } from "../abi/body";
import { continueRequest, continueResponse, enterStream } from "../abi/calls";
import { Action, BufferKind, HeaderMap } from "../abi/enums";
import { allHeaders } from "../abi/headers";
import { ChainPhase } from "../domain/fallback-chain";
import { RungKind } from "../domain/policy";
import { Feature } from "../proxy/feature";
import { Pass } from "../proxy/feature-breaker";
import { acted, Answer, refuse } from "./answer";
import { CallOut, callOuts } from "./call-out";
import { callCluster, isAllowed, isRoutable, reroute } from "./cluster-rung";
import { streams } from "./pool";
import { askForCopy } from "./shared-copies";
import { serveStale } from "./stale-rung";
import { serveStatic } from "./static-rung";
import { Form, NO_END, Stream } from "./stream";

/** Largest answer of a call-out that is passed on. */
const MAX_CALL_BODY: i32 = 1024 * 1024;

/**
 * Runs the fallback chain from the rung after `stream.rung` until one answers.
 * Nobody can: a refused request gets 503, a failed answer goes to the client as it came.
 */
export function degrade(stream: Stream, feature: Feature, phase: ChainPhase, answer: Answer, nowMs: i64): Action {
  const chain = feature.policy.fallback;
  // A refused request keeps to the declared order, also when a fallback cluster has answered it badly meanwhile.
  const order = stream.pass == Pass.None ? ChainPhase.Request : phase;
  if (stream.chainEndsAtMs == NO_END) stream.chainEndsAtMs = nowMs + feature.policy.fallbackTimeoutMs;
  for (;;) {
    const at = feature.order.next(order, stream.rung, stream.repeatable, stream.reason);
    if (at < 0) break;
    stream.rung = at;
    const rung = chain[at];
    if (rung.kind != RungKind.Cluster && stream.form != Form.Plain) continue;
    if (rung.kind == RungKind.Stale) {
      if (serveStale(stream, feature, rung, answer, nowMs)) return acted(stream);
      // A held answer can be lost: what answers at once comes first.
      const next = feature.order.next(order, at, stream.repeatable, stream.reason);
      const atOnce = order == ChainPhase.Response && next >= 0 && chain[next].kind == RungKind.Static;
      if (!atOnce && askForCopy(stream, feature, rung)) return Action.Stop;
    } else if (rung.kind == RungKind.Static) {
      serveStatic(stream, feature, rung, answer, nowMs);
      return acted(stream);
    } else if (isAllowed(stream, rung.cluster)) {
      if (phase == ChainPhase.Request && isRoutable(rung.cluster)) return reroute(stream, rung);
      if (callCluster(stream, feature, rung)) return Action.Stop;
    }
  }
  feature.metrics.countDegraded(-1, stream.reason);
  if (stream.pass != Pass.None) return Action.Continue;
  refuse(stream, feature, answer, nowMs);
  return acted(stream);
}

/** A call-out that streams wait for came back. False: it is not one of those. */
export function onCallAnswered(token: i64, headerCount: i32, bodySize: i32, nowMs: i64): bool {
  const call = callOuts.end(token);
  if (call === null) return false;
  const headers = headerCount > 0 ? allHeaders(HeaderMap.CallOutResponse) : null;
  const body = headers !== null && bodySize <= MAX_CALL_BODY ? readBuffer(BufferKind.CallOutBody, bodySize) : null;
  call.take(headers, body, nowMs);
  settle(call, nowMs);
  return true;
}

/** Streams whose call-out will never come back go on without it. Host calls work on the last of them afterwards. */
export function endOverdueCalls(nowMs: i64): void {
  for (let call = callOuts.overdue(nowMs); call !== null; call = callOuts.overdue(nowMs)) settle(call, nowMs);
}

/** Each stream that waits gets the call-out's answer, else its next rung, else what the upstream had said. */
function settle(call: CallOut, nowMs: i64): void {
  for (let i = 0; i < call.waiting.length; i++) {
    const id = call.waiting[i];
    const stream = streams.get(id);
    if (stream === null || stream.call !== call) continue;
    stream.call = null;
    if (!enterStream(id) || call.answer(stream)) continue;
    const phase = stream.hasResponse ? ChainPhase.Response : ChainPhase.Request;
    if (degrade(stream, call.feature, phase, Answer.Reply, nowMs) != Action.Continue) continue;
    if (phase == ChainPhase.Request) continueRequest();
    else continueResponse();
  }
}
