import { readBuffer } from "../abi/body";
import { httpCall, NO_CALL } from "../abi/calls";
import { contentHash } from "../abi/content-hash";
import { BufferKind, HeaderMap } from "../abi/enums";
import { allHeaders } from "../abi/headers";
import { HeaderPairs, statusOf } from "../abi/pairs";
import { nameHash } from "../domain/name-hash";
import { Begin } from "../proxy/poison-mark";
import { POISON, Service } from "../proxy/service";
import { ControlPlaneSettings } from "../settings";
import { Directive, encodeFlags, parseDirective } from "../wire/directive";
import { LIMITS } from "../wire/contract.gen";
import { problemLine } from "../wire/problem";
import { controlPlaneHeaders, retryAfterMs } from "../proxy/endpoint";
import { Reconnect } from "./reconnect";

/** Beyond the wait that the server was asked for. */
const SLACK_MS: i32 = 5000;
/** Polls begin no closer together than this. */
const GAP_MS: i64 = 100;

/** Long poll for directives; only the proxy's leader runs it. */
export class Watch {
  private token: i64 = NO_CALL;
  private deadlineMs: i64 = 0;
  private nextAtMs: i64 = 0;
  private polledAtMs: i64 = 0;
  private readonly reconnect: Reconnect = new Reconnect();

  constructor(private readonly service: Service) {}

  /** Whether the last answer was a document that was refused: asking again at once would bring the same. */
  refused: bool = false;

  /** Whether the last poll was answered. */
  answered(): bool {
    return this.reconnect.failures == 0;
  }

  tick(to: ControlPlaneSettings, nowMs: i64): void {
    if (this.token != NO_CALL) {
      if (nowMs < this.deadlineMs) return;
      this.token = NO_CALL;
      this.nextAtMs = this.reconnect.failed(nowMs, 0);
    }
    if (nowMs >= this.nextAtMs) this.poll(to, nowMs);
  }

  /** Calls of a root that went away never come back, and the directive may have moved: ask anew at once. */
  restart(nowMs: i64): void {
    this.token = NO_CALL;
    this.nextAtMs = min(this.nextAtMs, nowMs);
  }

  private poll(to: ControlPlaneSettings, nowMs: i64): void {
    const service = this.service;
    // The first poll after trouble does not wait: it tells at once whether contact is back.
    const waitMs = this.reconnect.failures > 0 || service.governance.confirmedAtMs == 0 ? 0 : to.waitMs;
    let path = "/v1/services/" + service.name + "/directive?wait=" + (waitMs / 1000).toString();
    if (service.lineage.length > 0) {
      path += "&lineage=" + service.lineage + "&revision=" + service.revision.toString() + "&hash=" + service.hash;
      if (service.policyRevision >= 0) path += "&policyRevision=" + service.policyRevision.toString();
    }
    const timeoutMs = waitMs + SLACK_MS;
    this.polledAtMs = nowMs;
    this.token = httpCall(to.cluster, controlPlaneHeaders(to, "GET", path), null, timeoutMs);
    this.deadlineMs = nowMs + timeoutMs + SLACK_MS;
    if (this.token == NO_CALL) this.nextAtMs = this.reconnect.failed(nowMs, 0);
  }

  /** True when the answer was this watch's. */
  onAnswer(token: i64, headerCount: i32, bodySize: i32, nowMs: i64): bool {
    if (this.token == NO_CALL || token != this.token) return false;
    this.token = NO_CALL;
    const headers = headerCount > 0 ? allHeaders(HeaderMap.CallOutResponse) : null;
    const status = statusOf(headers);
    if (status == 200 ? this.onDirective(headers, bodySize, nowMs) : status == 304) {
      this.refused = false;
      this.reconnect.succeeded();
      // A server that does not wait must not be asked on every tick.
      this.nextAtMs = max(nowMs, this.polledAtMs + GAP_MS);
      this.service.governance.confirm(nowMs);
    } else {
      this.refused = status == 200;
      // 404 among them: a service that the store does not know keeps what it has (R5).
      this.nextAtMs = this.reconnect.failed(nowMs, retryAfterMs(headers));
    }
    return true;
  }

  /** False: refused. The next poll then waits, since it would be answered with the same. */
  private onDirective(headers: HeaderPairs | null, bodySize: i32, nowMs: i64): bool {
    const service = this.service;
    if (bodySize > LIMITS.documentBytes) {
      service.reject(bodySize, 0, "directive of " + bodySize.toString() + " bytes; at most " + LIMITS.documentBytes.toString());
      return false;
    }
    const bytes = readBuffer(BufferKind.CallOutBody, LIMITS.documentBytes);
    if (bytes === null) {
      service.reject(0, 0, "directive without a body");
      return false;
    }
    const tag: string | null = headers === null ? null : headers.get("etag");
    const mark = tag === null ? contentHash(bytes) : nameHash(tag);
    const begin = service.directives.mark.begin(mark);
    if (begin == Begin.Poison) service.reject(mark, 0, POISON);
    if (begin != Begin.Go) return false;
    const directive = this.read(bytes, mark);
    service.directives.mark.end(mark);
    return directive !== null && service.accept(directive, encodeFlags(directive), nowMs);
  }

  /** The directive when it is sound and may follow the one in force. */
  private read(bytes: Uint8Array, mark: i64): Directive | null {
    const service = this.service;
    const result = parseDirective(bytes);
    const directive = result.directive;
    if (directive === null) {
      service.reject(mark, 0, problemLine(result.problems));
      return null;
    }
    const refusal = refusalOf(directive, service);
    if (refusal.length > 0) {
      service.reject(mark, directive.revision, refusal);
      return null;
    }
    return directive;
  }
}

/** Why a well-formed directive is not taken; empty when it is. */
function refusalOf(directive: Directive, service: Service): string {
  if (directive.service != service.name) return "service: is " + directive.service + ", expected " + service.name;
  if (directive.lineage == service.lineage && directive.revision < service.revision) {
    return "revision: " + directive.revision.toString() + " is below " + service.revision.toString() + " of the same lineage";
  }
  const needsPolicy = directive.lineage != service.lineage || directive.policyRevision != service.policyRevision;
  if (!directive.deleted && needsPolicy && directive.policy === null) return "policy: missing, though the filter does not hold it";
  return "";
}
