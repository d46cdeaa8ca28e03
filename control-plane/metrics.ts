import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Recovery, ServiceState, TimelineEntry } from './domain/model.ts';
import { pausedMs } from './domain/recovery/running.ts';

/** What the metrics read when they are asked for. */
export interface Gauges {
  readonly watchers: { readonly count: number };
  /** Probe permits in flight by upstream group. */
  permitsInFlight(): ReadonlyMap<string, number>;
  live(): readonly { readonly state: ServiceState }[];
}

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
  readonly transitions = this.counter('rekindle_transitions_total', 'Changes of feature flags', ['service', 'to']);
  readonly reports = this.counter('rekindle_reports_total', 'Reports of proxies', ['service', 'status']);
  readonly copies = this.counter('rekindle_shared_copies_total', 'Requests for shared copies', ['service', 'result']);
  readonly recoveries = this.counter('rekindle_recoveries_total', 'Recoveries that ended', ['service', 'result']);
  readonly recoveryPausedSeconds = this.counter('rekindle_recovery_paused_seconds_total', 'Time that people held recoveries up', [
    'service',
  ]);
  readonly recoveryEvents = this.counter('rekindle_recovery_events_total', 'What happened in recoveries, by code', ['service', 'event']);
  readonly ticksFailed = this.counter('rekindle_ticks_failed_total', 'Ticks of a service that failed', ['service']);
  readonly recoverySeconds = new Histogram({
    name: 'rekindle_recovery_seconds',
    help: 'Time from the start of a recovery to its end, without the pauses that people made',
    labelNames: ['result'] as const,
    buckets: RECOVERY_SECONDS,
    registers: [this.registry],
  });
  readonly pushSeconds = this.histogram(
    'rekindle_push_seconds',
    'Time from the commit of a change until the last waiting poll was answered',
  );
  readonly tickSeconds = this.histogram('rekindle_tick_seconds', 'Time of one tick over all services');
  readonly commitSeconds = this.histogram('rekindle_commit_seconds', 'Time of one write to the store, until it was on disk');

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
  watch(fleet: Gauges): void {
    this.gauge('rekindle_watchers', 'Polls that wait', [], (gauge) => gauge.set(fleet.watchers.count));
    this.gauge('rekindle_permits_in_flight', 'Probe permits in flight by upstream group', ['group'], (gauge) => {
      for (const [group, count] of fleet.permitsInFlight()) gauge.set({ group }, count);
    });
    this.gauge('rekindle_directive_revision', 'Revision of the directive', ['service'], (gauge) => {
      for (const { state } of fleet.live()) gauge.set({ service: state.service }, state.revision);
    });
    this.gauge('rekindle_recovering', '1 while a recovery runs', ['service'], (gauge) => {
      for (const { state } of fleet.live()) gauge.set({ service: state.service }, state.recovery?.endedAtMs === null ? 1 : 0);
    });
  }

  /** Memory, event loop and the like of this process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  private counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  private histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: FAST_SECONDS, registers: [this.registry] });
  }

  private gauge<L extends string>(name: string, help: string, labelNames: readonly L[], read: (gauge: Gauge<L>) => void): void {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect() {
        this.reset(); // a service that was deleted leaves no series behind
        read(this as Gauge<L>);
      },
    });
  }
}
