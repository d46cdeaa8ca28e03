/**
 * Bounds that both sides enforce. A document that breaks one is refused whole and the last good one stays.
 */
export const LIMITS = {
  /** Features in one policy. */
  features: 512,
  /** Services in one plugin configuration (a gateway or an outbound side carries many). */
  services: 32,
  /** Bytes of a plugin configuration, a policy or a directive. */
  documentBytes: 1024 * 1024,
  /** Bytes of one report. */
  reportBytes: 512 * 1024,
  /** Depth of nested JSON objects and arrays. */
  jsonDepth: 16,
  /** Characters of a name of a service, a feature, a group. */
  nameLength: 63,
  /** Routes of one feature. */
  routes: 64,
  /** Dependencies of one feature. */
  dependencies: 64,
  /** Characters of a path, prefix or template in a route. */
  pathLength: 1024,
  /** Rungs of a fallback chain. */
  rungs: 8,
  /** Representations of a static reply. */
  representations: 8,
  /** Characters of a static reply's body. */
  staticBody: 65_536,
  /** Bytes of one shared copy. */
  copyBytes: 256 * 1024,
  /** Longest time for which a shared copy is kept: 7 days. */
  copyTtlMs: 7 * 24 * 3600 * 1000,
  /** Longest duration in a document: 30 days. */
  durationMs: 30 * 24 * 3600 * 1000,
  /** Largest integer that JSON carries exactly. */
  safeInteger: Number.MAX_SAFE_INTEGER,
} as const;

/** Upper bounds in ms of the latency buckets of a report; one more bucket takes the rest. */
export const LATENCY_BUCKETS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const;
