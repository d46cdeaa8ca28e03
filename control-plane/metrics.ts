import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CONTROL_PLANE_METRICS, RECOVERY_EVENTS, RECOVERY_PHASES } from './contract/metrics.ts';
import { isActing } from './domain/feature.ts';
import type { Recovery, ServiceState, TimelineEntry } from './domain/model.ts';
import { pausedMs } from './domain/recovery/running.ts';
import { VERSION } from './version.gen.ts';

/** A service and what is known of it beside its state. */
interface Live {
  readonly state: ServiceState;
  readonly service: {
    readonly suspects: Readonly<Record<string, readonly string[]>>;
    bookOf(state: ServiceState): { countProxies(nowMs: number): number };
  };
}

/** What the metrics read when they are asked for. */
export interface Gauges {
  readonly clock: () => number;
  readonly watchers: { readonly count: number };
  /** Probe permits in flight by upstream group. */
  permitsInFlight(): ReadonlyMap<string, number>;
  live(): readonly Live[];
  readonly history: { readonly bytes: number };
}

/** How this process stands among those that share its store. */
export interface Standing {
  readonly isLeader: boolean;
  readonly isStoreAnswering: boolean;
  /** Since the leader's tick, its own or another one's, was last seen to move; null: never. */
  readonly leaderTickAgeMs: number | null;
}

type Specs = typeof CONTROL_PLANE_METRICS;
type Name = keyof Specs;
type NameOf<K extends string> = { [N in Name]: Specs[N]['kind'] extends K ? N : never }[Name];
type ServiceGauge = {
  [N in NameOf<'gauge'>]: Specs[N]['labels'] extends { service: 'service'; phase?: never } ? N : never;
}[NameOf<'gauge'>];
type LabelOf<N extends Name> = Extract<keyof Specs[N]['labels'], string>;

const COUNTED_EVENTS: ReadonlySet<string> = new Set(RECOVERY_EVENTS);

/** The metrics of one control plane, in a registry of their own. */
export class Metrics {
  readonly registry = new Registry();
  readonly flagChanges = this.counter('rekindle_flag_changes_total');
  readonly reports = this.counter('rekindle_reports_total');
  readonly copies = this.counter('rekindle_shared_copies_total');
  readonly recoveries = this.counter('rekindle_recoveries_total');
  readonly recoveryPausedSeconds = this.counter('rekindle_recovery_paused_seconds_total');
  readonly recoveryEvents = this.counter('rekindle_recovery_events_total');
  readonly relayed = this.counter('rekindle_relayed_reports_total');
  readonly relayBatchesLost = this.counter('rekindle_relay_batches_lost_total');
  readonly permitAsks = this.counter('rekindle_permit_asks_total');
  readonly ticksFailed = this.counter('rekindle_ticks_failed_total');
  readonly recoverySeconds = this.histogram('rekindle_recovery_seconds');
  readonly pushSeconds = this.histogram('rekindle_push_seconds');
  readonly tickSeconds = this.histogram('rekindle_tick_seconds');
  readonly commitSeconds = this.histogram('rekindle_commit_seconds');

  /** Steps, attempts and alerts of recoveries. */
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
  watch(fleet: Gauges, standing: Standing): void {
    this.gauge('rekindle_watchers', (gauge) => gauge.set(fleet.watchers.count));
    this.gauge('rekindle_permits_in_flight', (gauge) => {
      for (const [group, count] of fleet.permitsInFlight()) gauge.set({ group }, count);
    });
    this.gauge('rekindle_leading', (gauge) => gauge.set(standing.isLeader ? 1 : 0));
    this.gauge('rekindle_store_answers', (gauge) => gauge.set(standing.isStoreAnswering ? 1 : 0));
    this.gauge('rekindle_leader_tick_age_seconds', (gauge) => {
      const ageMs = standing.leaderTickAgeMs;
      if (ageMs !== null) gauge.set(ageMs / 1000);
    });
    this.gauge('rekindle_history_bytes', (gauge) => gauge.set(fleet.history.bytes));
    this.gauge('rekindle_control_plane_build_info', (gauge) => gauge.set({ version: VERSION }, 1));
    this.perService(fleet, 'rekindle_fleet_revision', ({ state }) => state.revision);
    this.perService(fleet, 'rekindle_acting', ({ state }) => (isActing(state.policy) ? 1 : 0));
    this.perService(fleet, 'rekindle_recovering', ({ state }) => (isRecovering(state) ? 1 : 0));
    this.perService(fleet, 'rekindle_overrides', ({ state }) => Object.values(state.features).filter(({ override }) => override).length);
    this.perService(fleet, 'rekindle_suspects', ({ service }) => new Set(Object.values(service.suspects).flat()).size);
    this.perService(fleet, 'rekindle_proxies', ({ service, state }) => service.bookOf(state).countProxies(fleet.clock()));
    this.gauge('rekindle_recovery_features', (gauge) => {
      for (const { state } of fleet.live()) {
        const phases = isRecovering(state) ? Object.values(state.features).map(({ recovery }) => recovery?.phase) : [];
        for (const phase of RECOVERY_PHASES) {
          gauge.set({ service: state.service, phase }, phases.filter((its) => its === phase).length);
        }
      }
    });
  }

  /** Memory, event loop and the like of this process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A gauge with one series for each service that there is. */
  private perService(fleet: Gauges, name: ServiceGauge, read: (live: Live) => number): void {
    this.gauge(name, (gauge) => {
      for (const live of fleet.live()) gauge.set({ service: live.state.service }, read(live));
    });
  }

  private counter<N extends NameOf<'counter'>>(name: N): Counter<LabelOf<N>> {
    return new Counter(this.described(name));
  }

  private histogram<N extends NameOf<'histogram'>>(name: N): Histogram<LabelOf<N>> {
    return new Histogram({ ...this.described(name), buckets: [...CONTROL_PLANE_METRICS[name].buckets] });
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
    return { name, help, labelNames: Object.keys(labels) as LabelOf<N>[], registers: [this.registry] };
  }
}

function isRecovering({ recovery }: ServiceState): boolean {
  return recovery !== null && recovery.endedAtMs === null;
}
