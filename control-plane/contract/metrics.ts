import { LIMITS } from './limits.ts';
import { BREAKER_PHASES, FEATURE_HEALTHS, FEATURE_STATES, RUNGS } from './names.ts';

/** What a label can say: words of a closed set, or names of which there are so many as this word counts. */
export type LabelValues = readonly string[] | 'service' | 'feature' | 'group' | 'version';

export interface MetricSpec {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Labels in their order. */
  readonly labels: Readonly<Record<string, LabelValues>>;
  readonly help: string;
  /** Upper bounds of a histogram's buckets, where they are ours to choose. */
  readonly buckets?: readonly number[];
}

/**
 * Why a degraded reply was given: the `reason` label and the `reason` parameter of the `rekindle` response header. The first three refuse
 * a request; the others say what became of one that was let through: `failure` is a status that the policy names, `overload` one of
 * Envoy's own concurrency caps.
 */
export const DEGRADED_REASONS = ['open', 'disabled', 'share', 'failure', 'timeout', 'connect', 'reset', 'grpc', 'overload'] as const;

/** How a request of a feature ended. */
export const OUTCOMES = ['success', 'failure', 'ignored', 'refused'] as const;

/** The rungs, and `none` when no rung could answer. */
export const RUNG_LABELS = [...RUNGS, 'none'] as const;

/** Where a feature stands in a recovery; `held` and `ceiling` need a person. */
export const RECOVERY_PHASES = ['blocked', 'waiting', 'probing', 'ramping', 'ceiling', 'held', 'done'] as const;

/** What is counted of a recovery's timeline; waits and judgements of health are left out, they come with every tick. */
export const RECOVERY_EVENTS = [
  ...['opened', 'pulled-back', 'probe-attempt', 'attempt-failed', 'probes-succeeded', 'step-passed', 'step-failed', 'enabled'],
  ...['inconclusive', 'ceiling', 'recovery_stuck', 'recovered-locally', 'paused', 'resumed', 'promoted', 'rolled-back'],
] as const;

const ofFeature = { service: 'service', feature: 'feature' } as const;
const ofService = { service: 'service' } as const;

/**
 * Metrics that the filter writes. A series' Envoy name is `<label>=.=<value>;.;<label>=.=<value>;.;<name>`: the form in which Istio's
 * bootstrap (`extraStatTags`), and the `stats_tags` in `envoy/` for a plain Envoy, find labels.
 */
export const FILTER_METRICS = {
  rekindle_requests_total: {
    kind: 'counter',
    labels: { ...ofFeature, outcome: OUTCOMES },
    help: 'Requests by outcome; ignored says nothing of the upstream, refused was not let through',
  },
  rekindle_degraded_total: {
    kind: 'counter',
    labels: { ...ofFeature, rung: RUNG_LABELS, reason: DEGRADED_REASONS },
    help: 'Degraded replies by rung and reason; rung none: no rung could answer, so the client got the failure or a 503',
  },
  rekindle_detected_total: {
    kind: 'counter',
    labels: { ...ofFeature, reason: DEGRADED_REASONS },
    help: 'Shadow mode: requests that would have been refused, or answered by a rung, and why; they are counted by their outcome all the same',
  },
  rekindle_retries_withheld_total: {
    kind: 'counter',
    labels: ofFeature,
    help: "Requests sent without the router's retries: probes, shares, and all while the window is near a trip",
  },
  rekindle_copies_stored_total: { kind: 'counter', labels: ofFeature, help: 'Answers kept as stale copies at this proxy' },
  rekindle_copies_evicted_total: {
    kind: 'counter',
    labels: ofFeature,
    help: 'Stale copies that had to go, while they could still have stood in, for one of this feature: `cache.entries` is too small',
  },
  rekindle_transitions_total: { kind: 'counter', labels: { ...ofFeature, to: BREAKER_PHASES }, help: 'Changes of the breaker phase' },
  rekindle_unmatched_total: { kind: 'counter', labels: {}, help: 'Requests that no feature matched' },
  rekindle_directives_rejected_total: { kind: 'counter', labels: ofService, help: 'Directives refused; the last good one stays' },
  rekindle_breaker_phase: {
    kind: 'gauge',
    labels: { ...ofFeature, phase: BREAKER_PHASES },
    help: '1 for the phase the breaker is in; a value above 1 means a hot restart is going on',
  },
  rekindle_feature_state: {
    kind: 'gauge',
    labels: { ...ofFeature, state: FEATURE_STATES },
    help: '1 for the state that the fleet allows, as this proxy knows it',
  },
  rekindle_feature_health: {
    kind: 'gauge',
    labels: { ...ofFeature, health: FEATURE_HEALTHS },
    help: '1 for the health that the control plane judges',
  },
  rekindle_admit_ratio: { kind: 'gauge', labels: ofFeature, help: 'Share of requests let through now, in basis points: 10000 is all' },
  rekindle_directive_revision: { kind: 'gauge', labels: ofService, help: 'Revision of the directive in force' },
  rekindle_directive_age_seconds: {
    kind: 'gauge',
    labels: ofService,
    help: 'Seconds since the control plane last confirmed the directive; 0 also when it never has',
  },
  rekindle_control_plane_connected: {
    kind: 'gauge',
    labels: ofService,
    help: '1 while watch and report are answered; absent where no control plane is configured',
  },
  rekindle_governed: { kind: 'gauge', labels: ofService, help: "1 while this proxy holds a live lease of the fleet's recovery" },
  rekindle_build_info: { kind: 'gauge', labels: { version: 'version' }, help: '1 for the version of the filter that acts in this proxy' },
  rekindle_upstream_ms: {
    kind: 'histogram',
    labels: ofFeature,
    help: 'Time from the last byte of the request to the response headers, in ms; at most 1000 samples per tick and worker',
  },
} as const satisfies Record<string, MetricSpec>;

const FAST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;
const RECOVERY_SECONDS = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400] as const;

/** Metrics of the control plane, at its /metrics. No name is also the filter's: the two can be scraped by one job. */
export const CONTROL_PLANE_METRICS = {
  rekindle_flag_changes_total: {
    kind: 'counter',
    labels: { ...ofService, to: FEATURE_STATES },
    help: 'Changes of feature flags, by the state they led to',
  },
  rekindle_fleet_revision: { kind: 'gauge', labels: ofService, help: 'Revision of the directive that proxies should hold' },
  rekindle_proxies: { kind: 'gauge', labels: ofService, help: 'Proxies whose reports came in time' },
  rekindle_suspects: { kind: 'gauge', labels: ofService, help: 'Proxies at which a feature fails while it does well at the others' },
  rekindle_overrides: { kind: 'gauge', labels: ofService, help: 'Features on which the word of a person is in force' },
  rekindle_acting: {
    kind: 'gauge',
    labels: ofService,
    help: '1 where the policy lets the fleet recover the service: `mode: enforce`, `autopilot: on`, `scope: fleet`',
  },
  rekindle_recovering: { kind: 'gauge', labels: ofService, help: '1 while a recovery runs' },
  rekindle_recovery_features: {
    kind: 'gauge',
    labels: { ...ofService, phase: RECOVERY_PHASES },
    help: 'Features by where they stand in the running recovery; held and ceiling need a person',
  },
  rekindle_recoveries_total: {
    kind: 'counter',
    labels: { ...ofService, result: ['recovered', 'recovered-locally', 'aborted', 'superseded'] },
    help: 'Recoveries that ended',
  },
  rekindle_recovery_seconds: {
    kind: 'histogram',
    labels: { result: ['recovered', 'recovered-locally', 'aborted', 'superseded'] },
    help: 'Time from the start of a recovery to its end, without the pauses that people made',
    buckets: RECOVERY_SECONDS,
  },
  rekindle_recovery_paused_seconds_total: { kind: 'counter', labels: ofService, help: 'Time that people held recoveries up' },
  rekindle_recovery_events_total: {
    kind: 'counter',
    labels: { ...ofService, event: RECOVERY_EVENTS },
    help: 'What happened in recoveries, by code',
  },
  rekindle_reports_total: { kind: 'counter', labels: { ...ofService, status: ['accepted', 'duplicate'] }, help: 'Reports of proxies' },
  rekindle_permits_in_flight: { kind: 'gauge', labels: { group: 'group' }, help: 'Probe permits in flight by upstream group' },
  rekindle_watchers: { kind: 'gauge', labels: {}, help: 'Polls that wait' },
  rekindle_push_seconds: {
    kind: 'histogram',
    labels: {},
    help: 'Time from the commit of a change until the last waiting poll was answered',
    buckets: FAST_SECONDS,
  },
  rekindle_tick_seconds: { kind: 'histogram', labels: {}, help: 'Time of one tick over all services', buckets: FAST_SECONDS },
  rekindle_ticks_failed_total: { kind: 'counter', labels: ofService, help: 'Ticks of a service that failed' },
  rekindle_leading: { kind: 'gauge', labels: {}, help: '1 in the process that decides' },
  rekindle_store_answers: { kind: 'gauge', labels: {}, help: '1 while the store can be used from this process' },
  rekindle_leader_tick_age_seconds: {
    kind: 'gauge',
    labels: {},
    help: "Time since this process last saw the leader's tick move; no series until it has",
  },
  rekindle_relayed_reports_total: {
    kind: 'counter',
    labels: { status: ['accepted', 'duplicate'] },
    help: 'Reports that other replicas took and told this one',
  },
  rekindle_relay_batches_lost_total: {
    kind: 'counter',
    labels: {},
    help: 'Batches of reports that other replicas told and that never came',
  },
  rekindle_permit_asks_total: {
    kind: 'counter',
    labels: { result: ['answered', 'late'] },
    help: 'Questions to the leader for probe permits; late: the proxy was answered without',
  },
  rekindle_commit_seconds: {
    kind: 'histogram',
    labels: {},
    help: 'Time of one write to the store, until it was done',
    buckets: FAST_SECONDS,
  },
  rekindle_shared_copies_total: {
    kind: 'counter',
    labels: { ...ofService, result: ['hit', 'miss', 'damaged', 'put'] },
    help: 'Requests for shared copies',
  },
  rekindle_history_bytes: { kind: 'gauge', labels: {}, help: 'Memory that the history of features takes, of at most 64 MiB' },
  rekindle_control_plane_build_info: { kind: 'gauge', labels: { version: 'version' }, help: '1 for the version of this process' },
} as const satisfies Record<string, MetricSpec>;

/** How many there are of what labels name, in one proxy or one control plane. `feature` counts those of one service. */
export type Sizes = Readonly<Record<'service' | 'feature' | 'group' | 'version', number>>;

/** The most that one proxy can show: the filter takes no configuration and no policy beyond these. */
export const LARGEST_PROXY: Sizes = { service: LIMITS.services, feature: LIMITS.features, group: 0, version: 1 };

/** Most series of a metric as Envoy, or the control plane, holds it: a histogram is one. */
export function mostSeries({ labels }: MetricSpec, sizes: Sizes): number {
  return Object.values(labels).reduce((product, values) => product * (typeof values === 'string' ? sizes[values] : values.length), 1);
}

/** Every label of the filter's metrics, sorted: Istio's `extraStatTags`. */
export function filterLabels(): string[] {
  return [...new Set(Object.values(FILTER_METRICS).flatMap(({ labels }) => Object.keys(labels)))].sort();
}
