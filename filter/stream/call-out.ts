import { httpCall, NO_CALL } from "../abi/calls";
import { monotonicMs } from "../abi/clock";
import { HeaderPairs } from "../abi/pairs";
import { Feature } from "../proxy/feature";
import { Stream } from "./stream";

/** Call-outs of one feature in flight on one worker; at the cap the next rung answers. */
const MOST_CALLS: i32 = 32;
/** A call-out that Envoy did not end by then has lost its root context: no callback comes. */
const OVERDUE_MS: i64 = 100;

/**
 * A call-out on behalf of streams that wait for it, paused. What it is for is a subclass: `take` judges what came back, once, `answer`
 * gives it to each stream that waits. A further purpose is a further subclass, handed to `callOuts.wait` by the rung that wants it;
 * sharing, cap, deadline and the return to the chain are the same for all.
 */
export abstract class CallOut {
  token: i64 = NO_CALL;
  /** Monotonic ms at which Envoy ends it at the latest. */
  endsAtMs: i64 = 0;
  /** Ids of the streams that wait. Some may be gone meanwhile. */
  readonly waiting: u32[] = [];

  /** `request`: all that is sent. Calls of a feature with the same cluster and request are one. */
  constructor(
    readonly feature: Feature,
    readonly cluster: string,
    readonly request: HeaderPairs,
  ) {}

  /** Judges what came: null headers or body when the call failed, or brought too much. Runs in the root context. */
  abstract take(headers: HeaderPairs | null, body: Uint8Array | null, nowMs: i64): void;

  /** Answers a stream that waits, by local reply; false: it goes on with its next rung. Runs in the stream's context, after `take`. */
  abstract answer(stream: Stream): bool;

  isLike(other: CallOut): bool {
    return this.feature === other.feature && this.cluster == other.cluster && this.request.equals(other.request);
  }
}

/** The call-outs of this VM that streams wait for. */
class CallOuts {
  private underWay: CallOut[] = [];

  /**
   * Makes the stream wait for a call-out: for an equal one that is under way, else for this one, which is started. Its time is the
   * rung's, cut to what the stream's chain has left. False: there is no time left, no place, or the cluster cannot be called.
   */
  wait(stream: Stream, call: CallOut, timeoutMs: i32): bool {
    const leftMs = stream.chainEndsAtMs - monotonicMs();
    if (leftMs <= 0) return false;
    const equal = this.equalTo(call);
    if (equal === null && !this.start(call, <i32>min<i64>(timeoutMs, leftMs), stream.chainEndsAtMs - leftMs)) return false;
    const joined = equal === null ? call : equal;
    joined.waiting.push(stream.id);
    stream.call = joined;
    return true;
  }

  private equalTo(call: CallOut): CallOut | null {
    for (let i = 0; i < this.underWay.length; i++) if (this.underWay[i].isLike(call)) return this.underWay[i];
    return null;
  }

  private start(call: CallOut, timeoutMs: i32, nowMs: i64): bool {
    if (call.feature.callsInFlight >= MOST_CALLS) return false;
    call.token = httpCall(call.cluster, call.request, null, timeoutMs);
    if (call.token == NO_CALL) return false;
    call.endsAtMs = nowMs + timeoutMs;
    call.feature.callsInFlight++;
    this.underWay.push(call);
    return true;
  }

  /** The call-out with this token, which is over now; null: none, or nobody waits for it any more. */
  end(token: i64): CallOut | null {
    for (let i = 0; i < this.underWay.length; i++) if (this.underWay[i].token == token) return this.remove(i);
    return null;
  }

  /** A call-out that should have ended and did not; null: none. */
  overdue(nowMs: i64): CallOut | null {
    for (let i = 0; i < this.underWay.length; i++) if (this.underWay[i].endsAtMs + OVERDUE_MS < nowMs) return this.remove(i);
    return null;
  }

  private remove(at: i32): CallOut {
    const call = this.underWay[at];
    const last = this.underWay.pop();
    if (at < this.underWay.length) this.underWay[at] = last;
    call.feature.callsInFlight--;
    return call;
  }
}

export const callOuts: CallOuts = new CallOuts();
