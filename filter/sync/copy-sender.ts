import { httpCall, NO_CALL } from "../abi/calls";
import { HeaderMap } from "../abi/enums";
import { allHeaders } from "../abi/headers";
import { statusOf } from "../abi/pairs";
import { crc32 } from "../domain/crc32";
import { staysServableMs } from "../domain/freshness";
import { hex } from "../domain/hex";
import { copyOutbox } from "../proxy/copy-outbox";
import { controlPlaneHeaders, retryAfterMs } from "../proxy/endpoint";
import { encodeCopy } from "../proxy/shared-copy";
import { staleCache } from "../proxy/stale-cache";
import { ControlPlaneSettings } from "../settings";
import { LIMITS } from "../wire/contract.gen";
import { Reconnect } from "./reconnect";

const TIMEOUT_MS: i32 = 2000;

/** Brings the copies that this VM has renewed to the control plane, from the tick and one at a time. */
export class CopySender {
  private token: i64 = NO_CALL;
  private deadlineMs: i64 = 0;
  private nextAtMs: i64 = 0;
  private readonly reconnect: Reconnect = new Reconnect();

  constructor(private readonly service: string) {}

  tick(to: ControlPlaneSettings, nowMs: i64): void {
    if (this.token != NO_CALL) {
      if (nowMs < this.deadlineMs) return;
      this.token = NO_CALL;
      this.nextAtMs = this.reconnect.failed(nowMs, 0);
    }
    if (nowMs >= this.nextAtMs) this.send(to, nowMs);
  }

  /** Calls of a root that went away never come back. */
  restart(): void {
    this.token = NO_CALL;
  }

  private send(to: ControlPlaneSettings, nowMs: i64): void {
    const next = copyOutbox.take(this.service);
    if (next === null) return;
    const copy = staleCache.copyOf(next.slot, next.content, nowMs);
    if (copy === null) return;
    const left = staysServableMs(copy.ageMs, copy.freshForMs, copy.staleIfErrorMs, copy.mayServeStale, next.maxStaleMs);
    if (left <= 0) return;
    const bytes = encodeCopy(copy);
    if (bytes.length > LIMITS.copyBytes) return;
    const ttlMs = min<i64>(left, LIMITS.copyTtlMs);
    const headers = controlPlaneHeaders(to, "PUT", "/v1/services/" + this.service + "/cache/" + next.key + "?ttlMs=" + ttlMs.toString())
      .add("content-type", "application/octet-stream")
      .add("rekindle-crc32", hex(crc32(bytes)).substring(8));
    this.token = httpCall(to.cluster, headers, bytes, TIMEOUT_MS);
    this.deadlineMs = nowMs + TIMEOUT_MS * 2;
    if (this.token == NO_CALL) this.nextAtMs = this.reconnect.failed(nowMs, 0);
  }

  /** True when the answer was to this sender. */
  onAnswer(token: i64, headerCount: i32, nowMs: i64): bool {
    if (this.token == NO_CALL || token != this.token) return false;
    this.token = NO_CALL;
    const headers = headerCount > 0 ? allHeaders(HeaderMap.CallOutResponse) : null;
    const status = statusOf(headers);
    // What is refused for what it is says nothing against the next one.
    if (status >= 200 && status < 500 && status != 429) this.reconnect.succeeded();
    else this.nextAtMs = this.reconnect.failed(nowMs, retryAfterMs(headers));
    return true;
  }
}
