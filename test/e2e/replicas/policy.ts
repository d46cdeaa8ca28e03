export const SERVICE = 'shop';

/** Short times, so that opening and recovery fit into seconds. */
export const policy = {
  service: SERVICE,
  governance: { staleAfterMs: 3000, reportMs: 200, quietReportMs: 500 },
  recovery: { probesInFlight: 3, probesPerSecond: 10 },
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: {
        minimumRequests: 5,
        consecutiveFailures: 3,
        openMs: 1000,
        openCapMs: 1000,
        jitter: 'equal',
        halfOpen: { timeoutMs: 1000 },
      },
      fallback: [{ static: { status: 200, body: 'standing in' } }],
      health: { windowMs: 2000, minimumRequests: 5 },
      recovery: {
        ...{ rampPercent: [50, 100], stableForMs: 1000, minimumSamples: 3, probes: 3, resetAfterMs: 1000 },
        backoff: { baseMs: 300, capMs: 600, jitter: 'equal' },
      },
    },
    // Nothing happens to it but what people do.
    { name: 'checkout', routes: [{ path: { prefix: '/checkout' } }], fallback: [{ static: { status: 503 } }] },
  ],
};
