import { setTimeout as sleep } from 'node:timers/promises';
import type { Directive, Flag } from '../../../control-plane/contract/directive.ts';
import { LATENCY_BUCKETS_MS } from '../../../control-plane/contract/limits.ts';
import type { FeatureReport, Permit, Report, ReportReply } from '../../../control-plane/contract/report.ts';
import type { CountingUpstream } from './counting-upstream.ts';

export interface FakeProxyOptions {
  readonly node: string;
  readonly service: string;
  /** The only one with traffic. */
  readonly feature: string;
  /** Where it finds the replicas: it takes turns, as a balancer lets it. */
  readonly ports: readonly number[];
  readonly staleAfterMs: number;
  readonly reportMs: number;
  readonly upstream: CountingUpstream;
}

interface Track {
  readonly step: number;
  phase: 'CLOSED' | 'OPEN';
  admitted: number;
  succeeded: number;
  failed: number;
  refused: number;
}

const demandPerReport = 10;
/** Requests that a breaker needs to see fail. */
const failuresToTrip = 3;
/** Old enough to vote (R10). */
const uptimeMs = 60_000;
const answerWithinMs = 3000;
const waitSeconds = 5;

/**
 * As much of a proxy as the control plane and the upstream see: it watches, obeys, trips and reports, and sends what permits allow to the
 * upstream. Without the lease it sends nothing at all, so that whatever arrives from it was granted.
 */
export class FakeProxy {
  directive: Directive | null = null;
  private readonly options: FakeProxyOptions;
  private readonly tracks = new Map<string, Track>();
  private readonly end = new AbortController();
  private leaseUntilMs = 0;
  private sequence = 0;
  private turn = 0;
  private running: Promise<unknown> = Promise.resolve();

  constructor(options: FakeProxyOptions) {
    this.options = options;
  }

  /** Whether it relies on the fleet to bring features back (R2). */
  get isGoverned(): boolean {
    return performance.now() < this.leaseUntilMs;
  }

  flag(feature: string): Flag | null {
    return this.directive?.flags.find((flag) => flag.feature === feature) ?? null;
  }

  start(): void {
    this.running = Promise.all([this.repeat(() => this.watch()), this.repeat(() => this.report())]);
  }

  async stop(): Promise<void> {
    this.end.abort();
    await this.running;
  }

  /** Again and again; after a failure once a report's interval later. */
  private async repeat(act: () => Promise<void>): Promise<void> {
    while (!this.end.signal.aborted) await act().catch(() => this.wait());
  }

  private async watch(): Promise<void> {
    const held = this.directive;
    const name = held ? `&lineage=${held.lineage}&revision=${held.revision}&hash=${held.hash}&policyRevision=${held.policyRevision}` : '';
    const { status, body } = await this.ask(`directive?wait=${waitSeconds}${name}`, {}, waitSeconds * 1000 + answerWithinMs);
    if (status === 200) this.directive = JSON.parse(body) as Directive;
    else if (status !== 304) await this.wait();
  }

  private async report(): Promise<void> {
    await this.wait();
    if (this.directive === null) return;
    const flag = this.flag(this.options.feature);
    if (flag !== null) this.serve(this.track(flag), flag);
    const { status, body } = await this.ask('reports', { method: 'POST', body: JSON.stringify(this.next()) }, answerWithinMs);
    if (status !== 200) throw new Error(`a report was answered ${status}: ${body}`);
    const { governorAgeMs, permits } = JSON.parse(body) as ReportReply;
    this.leaseUntilMs = Math.max(this.leaseUntilMs, performance.now() + this.options.staleAfterMs - governorAgeMs);
    for (const permit of permits) for (let n = 0; n < permit.count; n++) void this.probe(permit);
  }

  /** One interval's requests. */
  private serve(track: Track, { state, admit }: Flag): void {
    const { isDown } = this.options.upstream;
    if (!isDown && state === 'ENABLED') track.phase = 'CLOSED';
    const allowed = state === 'DISABLED' || track.phase === 'OPEN' ? 0 : Math.round((demandPerReport * admit) / 10_000);
    const sent = isDown ? Math.min(allowed, failuresToTrip) : allowed;
    track.admitted += sent;
    track[isDown ? 'failed' : 'succeeded'] += sent;
    track.refused += demandPerReport - sent;
    if (isDown && sent > 0) track.phase = 'OPEN';
  }

  private async probe({ feature, step }: Permit): Promise<void> {
    const flag = this.flag(feature);
    if (flag?.step !== step || flag.state !== 'DISABLED' || !this.isGoverned) return;
    const track = this.track(flag);
    track.admitted++;
    const { ok } = await fetch(`http://127.0.0.1:${this.options.upstream.port}/${feature}/probe`);
    track[ok ? 'succeeded' : 'failed']++;
  }

  private track({ feature, step }: Flag): Track {
    const known = this.tracks.get(feature);
    if (known?.step === step) return known;
    const track: Track = { step, phase: 'CLOSED', admitted: 0, succeeded: 0, failed: 0, refused: 0 };
    this.tracks.set(feature, track);
    return track;
  }

  private next(): Report {
    const { node, reportMs } = this.options;
    const { lineage, revision } = this.directive!;
    const latency = [0, ...LATENCY_BUCKETS_MS.map(() => 0)];
    const rest = { ignored: 0, slow: 0, degraded: { stale: 0, cluster: 0, static: 0 }, latency };
    const features = [...this.tracks].map(([feature, track]): FeatureReport => ({ feature, ...track, ...rest }));
    const identity = { node, instance: `${node}-1`, sequence: ++this.sequence, uptimeMs: uptimeMs + Math.round(performance.now()) };
    return { ...identity, intervalMs: reportMs, version: 'fake', lineage, revision, governed: this.isGoverned, features };
  }

  private async ask(path: string, init: RequestInit, withinMs: number): Promise<{ status: number; body: string }> {
    const { ports, service } = this.options;
    const port = ports[this.turn++ % ports.length];
    const leave = new AbortController();
    const abort = (): void => leave.abort();
    const timer = setTimeout(abort, withinMs);
    this.end.signal.addEventListener('abort', abort);
    try {
      const headers = { 'content-type': 'application/json' };
      const url = `http://127.0.0.1:${port}/v1/services/${service}/${path}`;
      const response = await fetch(url, { ...init, headers, signal: leave.signal });
      return { status: response.status, body: await response.text() };
    } finally {
      clearTimeout(timer);
      this.end.signal.removeEventListener('abort', abort);
    }
  }

  private wait(): Promise<void> {
    return sleep(this.options.reportMs, undefined, { signal: this.end.signal }).catch(() => undefined);
  }
}
