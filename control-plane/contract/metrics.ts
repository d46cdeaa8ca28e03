/**
 * Metrics that the filter writes. A series' Envoy name is `<label>=.=<value>;.<label>=.=<value>;.<name>`: Istio's bootstrap extracts
 * the labels from that form as it is, plain Envoy with the `stats_tags` in `envoy/`. (Labels at the end would lose the last dot, and
 * Istio's pattern the last label.)
 */
export interface MetricSpec {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export const FILTER_METRICS = {
  rekindle_requests_total: {
    kind: 'counter',
    labels: ['service', 'feature', 'outcome'],
    help: 'Requests by outcome: success, failure, ignored (says nothing of the upstream), refused',
  },
  rekindle_degraded_total: {
    kind: 'counter',
    labels: ['service', 'feature', 'rung', 'reason'],
    help: 'Degraded replies by rung and reason; rung none: no rung could answer',
  },
  rekindle_detected_total: {
    kind: 'counter',
    labels: ['service', 'feature', 'reason'],
    help: 'Shadow mode: requests that would have been refused, or answered by a rung, and why; they are counted by their outcome all the same',
  },
  rekindle_retries_withheld_total: {
    kind: 'counter',
    labels: ['service', 'feature'],
    help: "Requests sent without the router's retries: probes, shares, and all while the window is near a trip",
  },
  rekindle_transitions_total: { kind: 'counter', labels: ['service', 'feature', 'to'], help: 'Changes of the breaker phase' },
  rekindle_unmatched_total: { kind: 'counter', labels: [], help: 'Requests that no feature matched' },
  rekindle_directives_rejected_total: { kind: 'counter', labels: ['service'], help: 'Directives refused; the last good one stays' },
  rekindle_breaker_phase: {
    kind: 'gauge',
    labels: ['service', 'feature', 'phase'],
    help: '1 for the phase the breaker is in; a value above 1 means a hot restart is going on',
  },
  rekindle_feature_state: { kind: 'gauge', labels: ['service', 'feature', 'state'], help: '1 for the state that the fleet allows' },
  rekindle_feature_health: {
    kind: 'gauge',
    labels: ['service', 'feature', 'health'],
    help: '1 for the health that the control plane judges',
  },
  rekindle_admit_ratio: { kind: 'gauge', labels: ['service', 'feature'], help: 'Share of requests let through now, in basis points' },
  rekindle_directive_revision: { kind: 'gauge', labels: ['service'], help: 'Revision of the directive in force' },
  rekindle_directive_age_seconds: {
    kind: 'gauge',
    labels: ['service'],
    help: 'Seconds since the control plane last confirmed the directive',
  },
  rekindle_control_plane_connected: { kind: 'gauge', labels: ['service'], help: '1 while watch and report are answered' },
  rekindle_governed: { kind: 'gauge', labels: ['service'], help: "1 while this proxy holds a live lease of the fleet's recovery" },
  rekindle_upstream_ms: {
    kind: 'histogram',
    labels: ['service', 'feature'],
    help: 'Time from the last byte of the request to the response headers, in ms',
  },
} as const satisfies Record<string, MetricSpec>;

/**
 * Metrics of the control plane, at its /metrics; docs/metrics.md is written from this list. Two names are the filter's too and mean the same
 * thing seen from the other side: tell them apart by their scrape job.
 */
export const CONTROL_PLANE_METRICS = {
  rekindle_transitions_total: { kind: 'counter', labels: ['service', 'to'], help: 'Changes of feature flags' },
  rekindle_directive_revision: { kind: 'gauge', labels: ['service'], help: 'Revision of the directive' },
  rekindle_recovering: { kind: 'gauge', labels: ['service'], help: '1 while a recovery runs' },
  rekindle_recoveries_total: {
    kind: 'counter',
    labels: ['service', 'result'],
    help: 'Recoveries that ended: recovered, recovered-locally, aborted, superseded',
  },
  rekindle_recovery_seconds: {
    kind: 'histogram',
    labels: ['result'],
    help: 'Time from the start of a recovery to its end, without the pauses that people made',
  },
  rekindle_recovery_paused_seconds_total: { kind: 'counter', labels: ['service'], help: 'Time that people held recoveries up' },
  rekindle_recovery_events_total: { kind: 'counter', labels: ['service', 'event'], help: 'What happened in recoveries, by code' },
  rekindle_reports_total: { kind: 'counter', labels: ['service', 'status'], help: 'Reports of proxies: accepted, duplicate' },
  rekindle_permits_in_flight: { kind: 'gauge', labels: ['group'], help: 'Probe permits in flight by upstream group' },
  rekindle_watchers: { kind: 'gauge', labels: [], help: 'Polls that wait' },
  rekindle_push_seconds: {
    kind: 'histogram',
    labels: [],
    help: 'Time from the commit of a change until the last waiting poll was answered',
  },
  rekindle_tick_seconds: { kind: 'histogram', labels: [], help: 'Time of one tick over all services' },
  rekindle_ticks_failed_total: { kind: 'counter', labels: ['service'], help: 'Ticks of a service that failed' },
  rekindle_leading: { kind: 'gauge', labels: [], help: '1 in the process that decides' },
  rekindle_commit_seconds: { kind: 'histogram', labels: [], help: 'Time of one write to the store, until it was on disk' },
  rekindle_shared_copies_total: { kind: 'counter', labels: ['service', 'result'], help: 'Requests for shared copies' },
  rekindle_history_bytes: { kind: 'gauge', labels: [], help: 'Memory that the history of features takes, of at most 64 MiB' },
} as const satisfies Record<string, MetricSpec>;

/**
 * Why a degraded reply was given: the `reason` label and the `reason` parameter of the `rekindle` response header. The first three refuse
 * a request; the others say what became of one that was let through: `failure` is a status that the policy names, `overload` one of
 * Envoy's own concurrency caps.
 */
export const DEGRADED_REASONS = ['open', 'disabled', 'share', 'failure', 'timeout', 'connect', 'reset', 'grpc', 'overload'] as const;
