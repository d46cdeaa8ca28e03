import type { ControlPlane } from '../../../control-plane/app.ts';
import type { Directive, Flag } from '../../../control-plane/contract/directive.ts';
import type { BreakerPhase } from '../../../control-plane/contract/names.ts';
import type { FeatureReport, Permit, ReportReply } from '../../../control-plane/contract/report.ts';
import { reportOf, type Stage } from './stage.ts';

/** The control plane, or the replica of it, that a proxy talks to. */
type Reached = Pick<ControlPlane, 'app'>;

const REQUESTS_PER_REPORT = 40;

interface Track {
  step: number;
  phase: BreakerPhase;
  permits: number;
  admitted: number;
  succeeded: number;
  failed: number;
  refused: number;
}

/**
 * As much of a proxy as the control plane sees: it takes directives, spends permits, trips on failures, and reports. Features that are
 * `down` fail at the upstream.
 */
export class SimulatedProxy {
  readonly node: string;
  /** Requests that reached the upstream, by feature. */
  readonly sent: Record<string, number> = {};
  private readonly service: string;
  private readonly tracks = new Map<string, Track>();
  private directive: Directive | null = null;
  private sequence = 0;
  private uptimeMs = 0;

  constructor(node: string, service: string) {
    this.node = node;
    this.service = service;
  }

  /** One interval of 1 s: obeys the directive, serves some requests, and reports. */
  async live(control: Reached, down: ReadonlySet<string>): Promise<ReportReply> {
    await this.watch(control);
    for (const flag of this.directive!.flags) this.serve(flag, down.has(flag.feature));
    const reply = await this.report(control);
    for (const permit of reply.permits) this.take(permit);
    return reply;
  }

  flag(feature: string): Flag {
    return this.directive!.flags.find((flag) => flag.feature === feature)!;
  }

  private async watch({ app }: Reached): Promise<void> {
    const held = this.directive;
    const query = held ? `?lineage=${held.lineage}&revision=${held.revision}&hash=${held.hash}&policyRevision=${held.policyRevision}` : '';
    const response = await app.inject(`/v1/services/${this.service}/directive${query}`);
    if (response.statusCode === 200) this.directive = response.json();
  }

  private serve(flag: Flag, isDown: boolean): void {
    const track = this.track(flag);
    for (let request = 0; request < REQUESTS_PER_REPORT; request++) {
      if (this.admits(flag, track, request)) {
        track.admitted++;
        this.sent[flag.feature] = (this.sent[flag.feature] ?? 0) + 1;
        if (isDown) track.failed++;
        else track.succeeded++;
      } else {
        track.refused++;
      }
    }
    if (flag.state === 'ENABLED' && isDown) track.phase = 'OPEN';
  }

  private admits(flag: Flag, track: Track, request: number): boolean {
    if (flag.state === 'DISABLED') return track.permits-- > 0;
    if (flag.state === 'TESTING') return (request * 10_000) / REQUESTS_PER_REPORT < flag.admit;
    return track.phase === 'CLOSED';
  }

  private track({ feature, step }: Flag): Track {
    const known = this.tracks.get(feature);
    if (known?.step === step) return known;
    const track: Track = { step, phase: 'CLOSED', permits: 0, admitted: 0, succeeded: 0, failed: 0, refused: 0 };
    this.tracks.set(feature, track);
    return track;
  }

  private take({ feature, step, count }: Permit): void {
    const track = this.tracks.get(feature);
    if (track?.step === step) track.permits = count;
  }

  private async report({ app }: Reached): Promise<ReportReply> {
    this.sequence++;
    this.uptimeMs += 1000;
    const { lineage, revision } = this.directive!;
    const features = [...this.tracks].map(([feature, { permits: _, ...track }]): Partial<FeatureReport> => ({ feature, ...track }));
    const identity = { node: this.node, instance: `${this.node}-1`, sequence: this.sequence, uptimeMs: this.uptimeMs + 20_000 };
    const payload = reportOf({ ...identity, lineage, revision }, features);
    const response = await app.inject({ method: 'POST', url: `/v1/services/${this.service}/reports`, payload });
    if (response.statusCode !== 200) throw new Error(response.body);
    return response.json();
  }
}

/** Lets `seconds` pass: each second every proxy lives one interval and the ticker ticks. Ends early once `until` holds. */
export async function pass(
  control: Stage,
  proxies: readonly SimulatedProxy[],
  { seconds, down = [], until }: { seconds: number; down?: readonly string[]; until?: () => boolean },
): Promise<void> {
  const failing = new Set(down);
  for (let second = 0; second < seconds; second++) {
    control.time.nowMs += 1000;
    for (const proxy of proxies) await proxy.live(control, failing);
    await control.ticker.tick();
    if (until?.()) return;
  }
  if (until) throw new Error(`it did not come about within ${seconds} s`);
}
