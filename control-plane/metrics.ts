import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CONTROL_PLANE_METRICS } from './contract/metrics.ts';
import type { Recovery, ServiceState, TimelineEntry } from './domain/model.ts';
import { pausedMs } from './domain/recovery/running.ts';

/** What the metrics read when they are asked for. */
export interface Gauges {
  readonly watchers: { readonly count: number };
  /** Probe permits in flight by upstream group. */
  permitsInFlight(): ReadonlyMap<string, number>;
  live(): readonly { readonly state: ServiceState }[];
  readonly history: { readonly bytes: number };
}

type Specs = typeof CONTROL_PLANE_METRICS;
type Name = keyof Specs;
type NameOf<K extends string> = { [N in Name]: Specs[N]['kind'] extends K ? N : never }[Name];
type LabelOf<N extends Name> = Specs[N]['labels'][number];

const FAST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const RECOVERY_SECONDS = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400];

/** Codes of events that are counted. */
const COUNTED_EVENTS: ReadonlySet<string> = new Set([
  ...['opened', 'pulled-back', 'probe-attempt', 'attempt-failed', 'probes-succeeded', 'step-passed', 'step-failed', 'enabled'],
  ...['inconclusive', 'ceiling', 'recovery_stuck', 'recovered-locally', 'paused', 'resumed', 'promoted', 'rolled-back'],
]);

/** The metrics of one control plane, in a registry of their own. Labels are names of the policies only, so their number is bounded. */
export class Metrics {
  readonly registry = new Registry();
  readonly transitions = this.counter('rekindle_transitions_total');
  readonly reports = this.counter('rekindle_reports_total');
  readonly copies = this.counter('rekindle_shared_copies_total');
  readonly recoveries = this.counter('rekindle_recoveries_total');
  readonly recoveryPausedSeconds = this.counter('rekindle_recovery_paused_seconds_total');
  readonly recoveryEvents = this.counter('rekindle_recovery_events_total');
  readonly ticksFailed = this.counter('rekindle_ticks_failed_total');
  readonly recoverySeconds = this.histogram('rekindle_recovery_seconds', RECOVERY_SECONDS);
  readonly pushSeconds = this.histogram('rekindle_push_seconds', FAST_SECONDS);
  readonly tickSeconds = this.histogram('rekindle_tick_seconds', FAST_SECONDS);
  readonly commitSeconds = this.histogram('rekindle_commit_seconds', FAST_SECONDS);

  /** Steps, attempts and alerts of recoveries; `holds` and judgements of health are left out, they come with every wait. */
  countEvents(service: string, events: readonly TimelineEntry[]): void {
    for (const { event } of events) if (COUNTED_EVENTS.has(event)) this.recoveryEvents.inc({ service, event });
  }

  countRecoveries(ended: readonly Recovery[]): void {
    for (const recovery of ended) {
      const { service, result, startedAtMs, endedAtMs } = recovery;
      if (result === null || endedAtMs === null) continue;
      this.recoveries.inc({ service, result });
      const heldUpMs = pausedMs(recovery, endedAtMs);
      this.recoverySeconds.observe({ result }, (endedAtMs - startedAtMs - heldUpMs) / 1000);
      this.recoveryPausedSeconds.inc({ service }, heldUpMs / 1000);
    }
  }

  /** Gauges that are read at the moment of a scrape. */
  watch(fleet: Gauges, ticker: { readonly isLeader: boolean }): void {
    this.gauge('rekindle_watchers', (gauge) => gauge.set(fleet.watchers.count));
    this.gauge('rekindle_permits_in_flight', (gauge) => {
      for (const [group, count] of fleet.permitsInFlight()) gauge.set({ group }, count);
    });
    this.gauge('rekindle_directive_revision', (gauge) => {
      for (const { state } of fleet.live()) gauge.set({ service: state.service }, state.revision);
    });
    this.gauge('rekindle_leading', (gauge) => gauge.set(ticker.isLeader ? 1 : 0));
    this.gauge('rekindle_history_bytes', (gauge) => gauge.set(fleet.history.bytes));
    this.gauge('rekindle_recovering', (gauge) => {
      for (const { state } of fleet.live()) gauge.set({ service: state.service }, state.recovery?.endedAtMs === null ? 1 : 0);
    });
  }

  /** Memory, event loop and the like of this process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  private counter<N extends NameOf<'counter'>>(name: N): Counter<LabelOf<N>> {
    return new Counter(this.described(name));
  }

  private histogram<N extends NameOf<'histogram'>>(name: N, buckets: number[]): Histogram<LabelOf<N>> {
    return new Histogram({ ...this.described(name), buckets });
  }

  private gauge<N extends NameOf<'gauge'>>(name: N, read: (gauge: Gauge<LabelOf<N>>) => void): void {
    new Gauge({
      ...this.described(name),
      collect() {
        this.reset(); // a service that was deleted leaves no series behind
        read(this as Gauge<LabelOf<N>>);
      },
    });
  }

  private described<N extends Name>(name: N) {
    const { help, labels } = CONTROL_PLANE_METRICS[name];
    return { name, help, labelNames: [...labels] as LabelOf<N>[], registers: [this.registry] };
  }
}
