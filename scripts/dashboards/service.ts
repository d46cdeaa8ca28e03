import type { Dashboard } from './dashboard.ts';

const chosen = '{service="$service",feature=~"$feature"}';
const service = '{service="$service"}';

/** One service: how an outage went and how its features come back. */
export const SERVICE: Dashboard = {
  uid: 'rekindle-service',
  title: 'Rekindle: recovery of a service',
  description: 'One service: what broke, what its clients get meanwhile, and how its features come back.',
  variables: [
    { name: 'service', label: 'Service', of: 'rekindle_admit_ratio', several: false },
    { name: 'feature', label: 'Feature', of: 'rekindle_admit_ratio{service="$service"}', several: true },
  ],
  rows: [
    {
      title: 'Where it stands',
      panels: [
        {
          title: 'Share let through',
          description: 'From 0 (open) over the steps of the ramp to 1 (all requests reach the upstream).',
          kind: 'state-timeline',
          unit: 'percentunit',
          width: 24,
          queries: [{ expr: `service_feature:rekindle_admit:ratio${chosen}`, legend: '{{feature}}' }],
        },
        {
          title: "The fleet's flag",
          description: 'What the control plane allows, by the number of proxies that hold it.',
          kind: 'timeseries',
          width: 8,
          stacked: true,
          queries: [{ expr: `sum by (feature, state) (rekindle_feature_state${chosen} >= bool 1) > 0`, legend: '{{feature}} {{state}}' }],
        },
        {
          title: 'Breakers of the proxies',
          description: 'Proxies by the phase that they have decided on by themselves, or that a person forced.',
          kind: 'timeseries',
          width: 8,
          stacked: true,
          queries: [{ expr: `sum by (feature, phase) (rekindle_breaker_phase${chosen} >= bool 1) > 0`, legend: '{{feature}} {{phase}}' }],
        },
        {
          title: 'Health',
          description: 'What the control plane judges from all reports.',
          kind: 'timeseries',
          width: 8,
          stacked: true,
          queries: [
            { expr: `sum by (feature, health) (rekindle_feature_health${chosen} >= bool 1) > 0`, legend: '{{feature}} {{health}}' },
          ],
        },
      ],
    },
    {
      title: 'What clients get',
      panels: [
        {
          title: 'Requests by outcome',
          description: 'Refused ones did not reach the upstream.',
          kind: 'timeseries',
          unit: 'reqps',
          width: 8,
          stacked: true,
          queries: [
            {
              expr: `sum by (feature, outcome) (rate(rekindle_requests_total${chosen}[$__rate_interval]))`,
              legend: '{{feature}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Degraded replies',
          description: 'By rung and reason. none: no rung could answer.',
          kind: 'timeseries',
          unit: 'reqps',
          width: 8,
          stacked: true,
          queries: [
            {
              expr: `sum by (feature, rung, reason) (rate(rekindle_degraded_total${chosen}[$__rate_interval]))`,
              legend: '{{feature}} {{rung}} ({{reason}})',
            },
          ],
        },
        {
          title: 'Stale copies',
          description: 'Stored per second, and those that had to go although they could still have stood in: then the cache is too small.',
          kind: 'timeseries',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: `sum by (feature) (rate(rekindle_copies_stored_total${chosen}[$__rate_interval]))`, legend: '{{feature}} stored' },
            { expr: `sum(rate(rekindle_copies_evicted_total${chosen}[$__rate_interval])) or vector(0)`, legend: 'evicted' },
          ],
        },
      ],
    },
    {
      title: 'The upstream',
      panels: [
        {
          title: 'Failures',
          description: 'Share among the requests that reached it.',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          queries: [{ expr: `service_feature:rekindle_failures:ratio_rate1m${chosen}`, legend: '{{feature}}' }],
        },
        {
          title: 'Time to the response headers',
          description: '95 of 100 are shorter.',
          kind: 'timeseries',
          unit: 'ms',
          width: 8,
          queries: [{ expr: `service_feature:rekindle_upstream_ms:p95_rate5m${chosen}`, legend: '{{feature}}' }],
        },
        {
          title: 'Retries withheld',
          description: 'Requests sent without retries: probes, shares of a ramp, and all while the window is near a trip.',
          kind: 'timeseries',
          unit: 'reqps',
          width: 8,
          queries: [{ expr: `sum by (feature) (rate(rekindle_retries_withheld_total${chosen}[$__rate_interval]))`, legend: '{{feature}}' }],
        },
      ],
    },
    {
      title: 'The recovery',
      panels: [
        {
          title: 'Features by phase',
          description: 'Blocked ones wait for another feature; held and ceiling wait for a person.',
          kind: 'timeseries',
          width: 8,
          stacked: true,
          queries: [{ expr: `max by (phase) (rekindle_recovery_features${service}) > 0`, legend: '{{phase}}' }],
        },
        {
          title: 'Steps and attempts',
          description: 'What happened, by code; the timeline over REST has each with its reason and figures.',
          kind: 'timeseries',
          width: 8,
          queries: [
            { expr: `sum by (event) (increase(rekindle_recovery_events_total${service}[$__rate_interval])) > 0`, legend: '{{event}}' },
          ],
        },
        {
          title: 'Probes in flight',
          description: 'Permits that the control plane has given and not yet got back, by upstream group.',
          kind: 'timeseries',
          width: 8,
          queries: [{ expr: 'max by (group) (rekindle_permits_in_flight)', legend: '{{group}}' }],
        },
      ],
    },
    {
      title: 'The proxies',
      panels: [
        {
          title: 'In touch, governed',
          description: 'Proxies that the control plane answers, and that hold a lease of the recovery; the others recover by themselves.',
          kind: 'timeseries',
          width: 8,
          queries: [
            { expr: `sum(rekindle_control_plane_connected${service} >= bool 1)`, legend: 'connected' },
            { expr: `sum(rekindle_governed${service} >= bool 1)`, legend: 'governed' },
            { expr: `max(rekindle_proxies${service})`, legend: 'reporting' },
          ],
        },
        {
          title: 'Directive',
          description: 'The revision that the fleet has, and the newest and the oldest that proxies hold.',
          kind: 'timeseries',
          width: 8,
          queries: [
            { expr: `max(rekindle_fleet_revision${service})`, legend: 'fleet' },
            { expr: `max(rekindle_directive_revision${service})`, legend: 'newest' },
            { expr: `min(rekindle_directive_revision${service})`, legend: 'oldest' },
          ],
        },
        {
          title: 'Age of the directive',
          description: 'Since the control plane confirmed it, at the proxy that has waited longest. A poll lasts up to 25 s.',
          kind: 'timeseries',
          unit: 's',
          width: 8,
          queries: [{ expr: `max(rekindle_directive_age_seconds${service})`, legend: 'oldest' }],
        },
      ],
    },
  ],
};
