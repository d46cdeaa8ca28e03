import { SlotTable } from "../abi/contexts";
import { Outcome } from "../domain/outcome";
import { Pass } from "../proxy/feature-breaker";
import { NOT_SENT, Stream } from "./stream";

/** The streams of this VM. Grows with the most requests ever in flight at once, never shrinks. */
class StreamPool {
  private readonly table: SlotTable = new SlotTable(256);
  private readonly streams: Stream[] = [];
  /** Places in `streams` that are free; as long as `streams` at least. */
  private freeTop: i32 = 0;
  private freeList: StaticArray<i32> = new StaticArray<i32>(64);

  open(id: u32): Stream {
    let at: i32;
    if (this.freeTop > 0) at = this.freeList[--this.freeTop];
    else {
      at = this.streams.length;
      this.streams.push(new Stream());
      if (this.streams.length > this.freeList.length) this.freeList = new StaticArray<i32>(this.freeList.length * 2);
    }
    this.table.set(id, at);
    const stream = this.streams[at];
    stream.reset(id);
    return stream;
  }

  get(id: u32): Stream | null {
    const at = this.table.get(id);
    return at < 0 ? null : this.streams[at];
  }

  close(id: u32): void {
    const at = this.table.get(id);
    if (at < 0) return;
    this.table.delete(id);
    const stream = this.streams[at];
    stream.reset(0);
    this.freeList[this.freeTop++] = at;
  }

  /**
   * Requests in flight for longer than the slow threshold count as slow, without waiting for their end. So are probes judged when their
   * time is over: failed without an answer, good while a good answer goes on (an event stream may never end).
   */
  judgeInFlight(nowMs: i64): void {
    for (let i = 0; i < this.streams.length; i++) {
      const stream = this.streams[i];
      const feature = stream.feature;
      const service = stream.service;
      if (feature === null || service === null || stream.judgedInFlight || stream.sentAtMs == NOT_SENT || !stream.isAwaited()) continue;
      const ageMs = nowMs - stream.sentAtMs;
      const slowMs = feature.policy.failure.slowMs;
      if (stream.pass == Pass.Normal && slowMs > 0 && ageMs > slowMs) {
        stream.judgedInFlight = true;
        service.settleHanging(feature, stream.epoch, nowMs);
      } else if (stream.pass == Pass.Probe && ageMs > feature.policy.breaker.probeTimeoutMs) {
        stream.judgedInFlight = true;
        service.settle(feature, stream.pass, stream.epoch, stream.hasResponse ? Outcome.Success : Outcome.Failure, stream.slow, nowMs);
      }
    }
  }
}

export const streams: StreamPool = new StreamPool();
