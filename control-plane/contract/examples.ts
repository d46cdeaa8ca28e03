import type { Report } from './report.ts';

/** A policy as a person would begin with. */
export const POLICY_EXAMPLE = {
  service: 'shop',
  features: [
    {
      name: 'catalog',
      priority: 1,
      routes: [{ methods: ['GET'], path: { prefix: '/catalog' } }],
      failure: { slowMs: 800 },
      breaker: { failureRatePercent: 40, minimumRequests: 10 },
      fallback: [{ stale: {} }, { static: { status: 200, contentType: 'application/json', body: '{"items":[]}' } }],
    },
    {
      name: 'checkout',
      priority: 2,
      dependsOn: [{ feature: 'catalog', hard: true }],
      routes: [{ path: { template: '/checkout/{cart}' } }],
      recovery: { rampPercent: [5, 25, 100], stableForMs: 30_000 },
    },
  ],
};

export const REPORT_EXAMPLE: Report = {
  node: 'sidecar~10.0.0.7~shop-6d5f',
  instance: '5b0e2c-1',
  sequence: 7,
  uptimeMs: 61_000,
  intervalMs: 1000,
  version: '0.1.0',
  governed: true,
  features: [
    {
      feature: 'catalog',
      step: 1,
      phase: 'CLOSED',
      admitted: 120,
      succeeded: 118,
      failed: 1,
      ignored: 1,
      slow: 3,
      refused: 0,
      degraded: { stale: 1, cluster: 0, static: 0 },
      latency: [10, 40, 50, 10, 5, 2, 1, 1, 0, 0, 0, 0],
    },
  ],
};
