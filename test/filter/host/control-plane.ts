import { crc32 } from 'node:zlib';
import Value from 'typebox/value';
import type { Directive, Flag } from '../../../control-plane/contract/directive.ts';
import type { Policy } from '../../../control-plane/contract/policy.ts';
import { type Permit, Report, type ReportReply } from '../../../control-plane/contract/report.ts';
import type { AnswerInit, PendingCall } from './calls.ts';
import type { EnvoyProxy } from './proxy.ts';

/** What the fake control plane knows of one service. */
export interface Desk {
  lineage: string;
  revision: number;
  policyRevision: number;
  /** As a person wrote it, defaults left out: the filter fills them in. */
  policy: unknown;
  flags: Flag[];
  proxies: number;
  deleted: boolean;
}

export type ReportSeen = Report & { readonly atMs: number; readonly service: string };

/** Answers the next call of its kind in the fake's place. */
export type Scripted = (call: PendingCall) => void;

interface Held {
  readonly service: string;
  readonly call: PendingCall;
}

/** A control plane that does what the test says. Every report is checked against the contract. */
export class FakeControlPlane {
  readonly desks = new Map<string, Desk>();
  readonly watches: PendingCall[] = [];
  readonly reports: ReportSeen[] = [];
  /** What was wrong with the filter's calls; tests expect nothing. */
  readonly problems: string[] = [];
  readonly watchScript: Scripted[] = [];
  readonly reportScript: Scripted[] = [];
  /** Copies that proxies share, by path. Two fakes may hold the same. */
  copies = new Map<string, { bytes: Uint8Array; ageS: number }>();
  readonly copyCalls: PendingCall[] = [];
  readonly copyScript: Scripted[] = [];
  /** Permits for the next report. */
  readonly permits: Permit[] = [];
  governorAgeMs = 0;
  /** Nothing answers, not even with a refusal. */
  silent = false;
  readonly #proxy: EnvoyProxy;
  #held: Held[] = [];

  constructor(proxy: EnvoyProxy, cluster = 'control-plane') {
    this.#proxy = proxy;
    proxy.clusters.set(cluster, (call) => this.take(call));
  }

  /** Brings a service to its next revision and answers who waits for one. */
  publish(service: string, change: Partial<Desk> = {}): Desk {
    const before = this.desks.get(service);
    const revision = change.revision ?? (before?.revision ?? 0) + 1;
    const fresh: Desk = { lineage: 'first', revision, policyRevision: revision, policy: null, flags: [], proxies: 1, deleted: false };
    const desk = { ...fresh, ...before, ...change, revision };
    if (change.policy !== undefined && change.policyRevision === undefined) desk.policyRevision = revision;
    this.desks.set(service, desk);
    const waiting = this.#held.filter((held) => held.service === service && held.call.state === 'open');
    this.#held = this.#held.filter((held) => !waiting.includes(held));
    for (const { call } of waiting) call.respond(this.#answer(service, call));
    return desk;
  }

  /** Sets one flag and publishes; the step is the revision. */
  flag(service: string, flag: Omit<Flag, 'step' | 'by'> & Partial<Flag>): void {
    const desk = this.desks.get(service);
    const step = (desk?.revision ?? 0) + 1;
    const others = (desk?.flags ?? []).filter((other) => other.feature !== flag.feature);
    this.publish(service, { flags: [...others, { step, by: 'recovery', ...flag }] });
  }

  directive(service: string, withPolicy: boolean): Directive {
    const desk = this.desks.get(service)!;
    const { lineage, revision, policyRevision, flags, proxies } = desk;
    const named = { service, lineage, revision, hash: `h-${lineage}-${revision}`, policyRevision, proxies, flags };
    if (desk.deleted) return { ...named, deleted: true };
    return withPolicy && desk.policy !== null ? { ...named, policy: desk.policy as Policy } : named;
  }

  /** A call-out reached the control plane. */
  take(call: PendingCall): void {
    const url = new URL(call.path, 'http://control-plane');
    const [, service, resource] = /^\/v1\/services\/([a-z0-9-]+)\/(directive|reports|cache\/[0-9a-f]{32})$/.exec(url.pathname) ?? [];
    if (service === undefined) {
      this.problems.push(`unknown path ${call.method} ${call.path}`);
      call.respond({ status: 404 });
    } else if (resource?.startsWith('cache/')) {
      this.#cache(call);
    } else if (resource === 'directive') {
      this.#watch(service, call);
    } else {
      this.#report(service, call);
    }
  }

  #cache(call: PendingCall): void {
    this.copyCalls.push(call);
    const scripted = this.copyScript.shift();
    if (scripted !== undefined || this.silent) {
      scripted?.(call);
      return;
    }
    const path = call.path.split('?')[0]!;
    if (call.method === 'GET') {
      const copy = this.copies.get(path);
      call.respond(copy === undefined ? { status: 404 } : { headers: { age: String(copy.ageS) }, body: copy.bytes });
      return;
    }
    const sum = crc32(call.body).toString(16).padStart(8, '0');
    if (call.headers.get('rekindle-crc32') !== sum) this.problems.push(`${call.path}: ${sum} is not the CRC-32 that it says`);
    if (call.headers.get('content-type') !== 'application/octet-stream') this.problems.push(`${call.path}: content-type`);
    if (!(Number(query(call).get('ttlMs')) > 0)) this.problems.push(`${call.path}: no ttlMs`);
    this.copies.set(path, { bytes: call.body, ageS: 0 });
    call.respond({ status: 204 });
  }

  #watch(service: string, call: PendingCall): void {
    if (call.method !== 'GET') this.problems.push(`${call.method} ${call.path}`);
    this.watches.push(call);
    const scripted = this.watchScript.shift();
    if (scripted !== undefined) scripted(call);
    else if (!this.silent) this.#answerWatch(service, call);
  }

  #answerWatch(service: string, call: PendingCall): void {
    const answer = this.#answer(service, call);
    if (answer.status !== 304) {
      call.respond(answer);
      return;
    }
    this.#held.push({ service, call });
    const waitMs = Number(query(call).get('wait') ?? 0) * 1000;
    this.#proxy.clock.after(waitMs, () => {
      this.#held = this.#held.filter((held) => held.call !== call);
      call.respond({ status: 304 });
    });
  }

  /** 404 without the service, 304 when the filter's name of the directive is today's, else the directive. */
  #answer(service: string, call: PendingCall): AnswerInit {
    if (!this.desks.has(service)) return { status: 404 };
    const asked = query(call);
    const full = this.directive(service, true);
    const sameLineage = asked.get('lineage') === full.lineage;
    const same = sameLineage && asked.get('revision') === String(full.revision) && asked.get('hash') === full.hash;
    if (same) return { status: 304 };
    const knowsPolicy = sameLineage && Number(asked.get('policyRevision') ?? -1) === full.policyRevision;
    const body = JSON.stringify(this.directive(service, !knowsPolicy));
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }

  #report(service: string, call: PendingCall): void {
    if (call.method !== 'POST') this.problems.push(`${call.method} ${call.path}`);
    const report = this.#check(call);
    if (report !== null) this.reports.push({ ...report, atMs: this.#proxy.clock.nowMs, service });
    const scripted = this.reportScript.shift();
    if (scripted !== undefined) scripted(call);
    else if (!this.silent) call.respond(this.reply(service));
  }

  /** Answer to a report; 404 without the service. */
  reply(service: string): AnswerInit {
    const desk = this.desks.get(service);
    if (desk === undefined) return { status: 404 };
    const permits = this.permits.splice(0);
    const reply: ReportReply = { lineage: desk.lineage, revision: desk.revision, governorAgeMs: this.governorAgeMs, permits, health: [] };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(reply) };
  }

  #check(call: PendingCall): Report | null {
    let body: unknown;
    try {
      body = JSON.parse(call.text);
    } catch {
      this.problems.push(`report is not JSON: ${call.text.slice(0, 200)}`);
      return null;
    }
    for (const { instancePath, message } of Value.Errors(Report, body)) this.problems.push(`report${instancePath}: ${message}`);
    return body as Report;
  }
}

/** Query of a watch. */
export function query(call: PendingCall): URLSearchParams {
  return new URL(call.path, 'http://control-plane').searchParams;
}
