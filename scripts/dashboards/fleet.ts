import type { Dashboard } from './dashboard.ts';

/** Everything at a glance: is anything degraded, does the machinery work. */
export const FLEET: Dashboard = {
  uid: 'rekindle-fleet',
  title: 'Rekindle: the fleet',
  description: 'Which services are degraded, what their clients get, and whether filters and control plane do their work.',
  variables: [],
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Features kept back',
          'Features of which not all requests may reach the upstream.',
          'count(service_feature:rekindle_admit:ratio < 1) or vector(0)',
          [1, 3],
        ),
        stat('Recoveries', 'Services with a recovery that runs.', 'sum(max by (service) (rekindle_recovering)) or vector(0)', [1, 3]),
        {
          ...stat(
            'Unanswered',
            'Requests per second that no rung could answer: clients see errors.',
            'sum(rate(rekindle_degraded_total{rung="none"}[$__rate_interval])) or vector(0)',
            [0.01, 1],
          ),
          unit: 'reqps',
        },
        {
          ...stat(
            'Proxies connected',
            'Share of the proxies that the control plane answers.',
            'avg(service:rekindle_control_plane_connected:ratio)',
          ),
          unit: 'percentunit',
          betterFrom: 1,
        },
        { ...stat('Leaders', 'Control planes that decide: one.', 'sum(rekindle_leading)'), betterFrom: 1 },
        stat(
          'Traps',
          'Times that a filter was started anew after a trap, in the last hour.',
          'sum(increase(instance_plugin_result:rekindle_vm_reloads:count{result="success"}[1h]))',
          [1, 1],
        ),
      ],
    },
    {
      title: 'Services',
      panels: [
        {
          title: 'Share let through',
          description:
            'Of each feature, as a mean over its proxies: 100 % is the normal life, 0 % an open feature, what lies between a ramp.',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 12,
          queries: [{ expr: 'service_feature:rekindle_admit:ratio', legend: '{{service}}/{{feature}}' }],
        },
        {
          title: 'Failures at the upstreams',
          description: 'Share of failures among the requests that reached the upstream.',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 12,
          queries: [{ expr: 'service_feature:rekindle_failures:ratio_rate1m', legend: '{{service}}/{{feature}}' }],
        },
        {
          title: 'Requests by outcome',
          description: 'Of all services. Refused ones were answered by the fallback chain.',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          stacked: true,
          queries: [{ expr: 'sum by (outcome) (service_feature_outcome:rekindle_requests:rate1m)', legend: '{{outcome}}' }],
        },
        {
          title: 'Degraded replies by rung',
          description: 'What stood in; none: nothing did.',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          stacked: true,
          queries: [{ expr: 'sum by (rung) (service_feature_rung_reason:rekindle_degraded:rate1m)', legend: '{{rung}}' }],
        },
        {
          title: 'Recoveries',
          description: 'Features by where they stand; held and ceiling wait for a person.',
          kind: 'timeseries',
          width: 12,
          stacked: true,
          queries: [{ expr: 'max by (service, phase) (rekindle_recovery_features) > 0', legend: '{{service}} {{phase}}' }],
        },
        {
          title: 'Alerts',
          description: 'Pending and firing.',
          kind: 'timeseries',
          width: 12,
          stacked: true,
          queries: [{ expr: 'sum by (alertname, alertstate) (ALERTS{alertname=~"Rekindle.+"})', legend: '{{alertname}} {{alertstate}}' }],
        },
      ],
    },
    {
      title: 'Control plane',
      panels: [
        {
          title: 'Proxies',
          description: 'Whose reports come in time, by service; suspects fail alone.',
          kind: 'timeseries',
          width: 8,
          queries: [
            { expr: 'max by (service) (rekindle_proxies)', legend: '{{service}}' },
            { expr: 'max by (service) (rekindle_suspects)', legend: '{{service}} suspects' },
          ],
        },
        {
          title: 'Polls and reports',
          description: 'Polls that wait for news, and reports taken per second.',
          kind: 'timeseries',
          width: 8,
          queries: [
            { expr: 'sum(rekindle_watchers)', legend: 'polls that wait' },
            { expr: 'sum by (status) (rate(rekindle_reports_total[$__rate_interval]))', legend: 'reports {{status}}/s' },
          ],
        },
        {
          title: 'Times, 99 of 100 are shorter',
          description: 'A tick over all services; a write to the store; from a change until the last waiting poll was answered.',
          kind: 'timeseries',
          unit: 's',
          width: 8,
          queries: ['tick', 'commit', 'push'].map((what) => ({
            expr: `histogram_quantile(0.99, sum by (le) (rate(rekindle_${what}_seconds_bucket[5m])))`,
            legend: what,
          })),
        },
        {
          title: 'Changes of flags',
          description: 'By the state they led to.',
          kind: 'timeseries',
          width: 8,
          queries: [
            { expr: 'sum by (service, to) (increase(rekindle_flag_changes_total[$__rate_interval]))', legend: '{{service}} {{to}}' },
          ],
        },
        {
          title: 'Memory',
          description: 'Of each process, and of what the history of features takes of it.',
          kind: 'timeseries',
          unit: 'bytes',
          width: 8,
          queries: [
            { expr: 'process_resident_memory_bytes and on (instance) rekindle_leading', legend: '{{instance}}' },
            { expr: 'rekindle_history_bytes', legend: '{{instance}} history' },
          ],
        },
        {
          title: 'Refused directives, failed ticks',
          description: 'Both should be 0: proxies keep their last directive, services stand still.',
          kind: 'timeseries',
          width: 8,
          queries: [
            { expr: 'sum(increase(rekindle_directives_rejected_total[5m])) or vector(0)', legend: 'directives refused' },
            { expr: 'sum(increase(rekindle_ticks_failed_total[5m])) or vector(0)', legend: 'ticks failed' },
          ],
        },
        {
          title: 'Versions',
          description: 'Of filters and control planes.',
          kind: 'table',
          width: 24,
          queries: [
            {
              expr: 'count by (__name__, version) ({__name__=~"rekindle_build_info|rekindle_control_plane_build_info"} >= 1)',
              legend: '',
            },
          ],
        },
      ],
    },
  ],
};

function stat(title: string, description: string, expr: string, worseFrom?: readonly [number, number]) {
  return { title, description, kind: 'stat', width: 4, queries: [{ expr, legend: '' }], ...(worseFrom && { worseFrom }) } as const;
}
