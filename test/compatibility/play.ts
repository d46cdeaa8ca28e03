/** A policy whose recovery takes seconds. Older versions must know all of its members. */
export const POLICY = {
  service: 'shop',
  governance: { staleAfterMs: 6000, reportMs: 200, quietReportMs: 500 },
  recovery: { probesInFlight: 6, probesPerSecond: 50 },
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: { minimumRequests: 5, consecutiveFailures: 3, openMs: 500, openCapMs: 500 },
      fallback: [{ stale: { maxStaleMs: 60_000 } }, { static: { status: 200, body: 'standing in' } }],
      health: { windowMs: 2000, minimumRequests: 5 },
      recovery: {
        ...{ rampPercent: [50, 100], stableForMs: 1000, minimumSamples: 5, probes: 2 },
        backoff: { baseMs: 200, capMs: 400, jitter: 'equal' },
      },
    },
  ],
};

export const DOWN = { mode: 'fail', status: 503, healthyShare: 0 } as const;
export const RATES = { catalog: 50, checkout: 0, recommendations: 0 } as const;

/** What a control plane answered while one outage took its course, in the order of the revisions. */
export interface Recorded {
  readonly version: string;
  readonly revisions: readonly RecordedRevision[];
  /** Headers of "nothing new". */
  readonly unchanged: Readonly<Record<string, string>>;
}

export interface RecordedRevision {
  readonly lineage: string;
  readonly revision: number;
  readonly hash: string;
  /** State and share of catalog, for whoever looks for a place in the course. */
  readonly flag: string;
  /** As sent, byte for byte. */
  readonly directive: string;
  /** Replies to reports while this was the newest revision; those that say the same again are left out. */
  readonly replies: readonly string[];
}
