import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type AccessSettings, buildControlPlane, type ControlPlane } from '../../../control-plane/app.ts';
import type { Policy } from '../../../control-plane/contract/policy.ts';
import type { FeatureReport, Report } from '../../../control-plane/contract/report.ts';
import { openLmdbStore } from '../../../control-plane/store/lmdb/lmdb-store.ts';
import type { Store } from '../../../control-plane/store/store.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

/** A moment to start from: 2027-01-15. */
export const START_MS = 1_800_000_000_000;

export interface Stage extends ControlPlane {
  readonly store: Store;
  readonly folder: string;
  /** Its name among those that may lead. */
  readonly holder: string;
  /** Moved by hand. */
  readonly time: { nowMs: number };
  /** Every line that was logged. */
  readonly lines: Record<string, unknown>[];
  /** Ends this control plane and gives one on the same folder. */
  restart(): Promise<Stage>;
}

export interface StageOptions {
  readonly folder?: string;
  readonly time?: { nowMs: number };
  readonly clock?: () => number;
  readonly maxWatchers?: number;
  readonly copyBudgetBytes?: number;
  readonly access?: Partial<AccessSettings>;
  /** A store between the control plane and LMDB. */
  readonly around?: (store: Store) => Store;
}

/** No tokens, and no limit on anything. */
export const OPEN_ACCESS: AccessSettings = {
  tokens: [],
  isLoopback: true,
  trustedProxies: [],
  requestsPerMinute: null,
  filterRequestsPerMinute: null,
  wrongTokensPerMinute: null,
  nodesPerAddress: null,
  nodesPerToken: null,
};

let stages = 0;

/** A control plane on a store of its own, which goes with the test. Nothing ticks by itself. */
export async function stage(options: StageOptions = {}): Promise<Stage> {
  const folder = options.folder ?? temporaryFolder();
  const time = options.time ?? { nowMs: START_MS };
  const lines: Record<string, unknown>[] = [];
  const lmdb = await openLmdbStore(folder);
  const store = options.around?.(lmdb) ?? lmdb;
  const holder = `test-${++stages}`;
  const built = await buildControlPlane({
    store,
    clock: options.clock ?? (() => time.nowMs),
    random: () => 0.5,
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    holder,
    tickMs: 250,
    maxWatchers: options.maxWatchers ?? 100,
    copyBudgetBytes: options.copyBudgetBytes ?? 1024 * 1024,
    access: { ...OPEN_ACCESS, ...options.access },
  });
  built.app.addHook('onClose', () => store.close());
  onTestFinished(() => built.app.close());
  const restart = async () => {
    await built.app.close();
    return stage({ ...options, folder, time });
  };
  return { ...built, store, folder, holder, time, lines, restart };
}

/** A policy as a person writes it. */
export function policyDraft(service: string, ...features: (string | (Record<string, unknown> & { name: string }))[]) {
  return {
    service,
    features: features.map((feature) =>
      typeof feature === 'string'
        ? { name: feature, routes: [{ path: { prefix: `/${feature}` } }] }
        : { routes: [{ path: { prefix: `/${feature.name}` } }], ...feature },
    ),
  };
}

/** Stores a policy and gives its ETag. */
export async function putPolicy({ app }: ControlPlane, draft: { service: string }, headers: Record<string, string> = {}): Promise<string> {
  const response = await app.inject({ method: 'PUT', url: `/v1/policies/${draft.service}`, payload: draft, headers });
  if (response.statusCode >= 300) throw new Error(response.body);
  return response.headers.etag as string;
}

/** A report of a proxy; `features` says what differs from no traffic at all. */
export function reportOf(changes: Partial<Report> = {}, features: Partial<FeatureReport>[] = []): Report {
  return {
    node: 'node-1',
    instance: 'instance-1',
    sequence: 1,
    uptimeMs: 60_000,
    intervalMs: 1000,
    version: '0.1.0',
    governed: true,
    features: features.map(featureReport),
    ...changes,
  };
}

function featureReport(changes: Partial<FeatureReport>): FeatureReport {
  return {
    feature: 'catalog',
    step: 1,
    phase: 'CLOSED',
    admitted: 0,
    succeeded: 0,
    failed: 0,
    ignored: 0,
    slow: 0,
    refused: 0,
    degraded: { stale: 0, cluster: 0, static: 0 },
    latency: Array.from({ length: 12 }, () => 0),
    ...changes,
  };
}

export async function getPolicy({ app }: ControlPlane, service: string): Promise<Policy> {
  return (await app.inject(`/v1/policies/${service}`)).json();
}
