import type { EnvoyProcess } from '../../../envoy/demo/envoy-process.ts';
import { markedIn, valueIn } from '../../../envoy/demo/prometheus.ts';
import { pause } from '../../../envoy/demo/wait.ts';
import type { FakeProxy } from './fake-proxy.ts';
import { SERVICE } from './policy.ts';

/** When every proxy was governed and held `catalog` for DISABLED, so that only probes may reach the upstream. */
export interface Spans {
  /** Whether this moment, and what came just before and after it, was such a time. */
  covers(atMs: number): boolean;
  /** Seconds of such a time since `sinceMs`. */
  seconds(sinceMs: number): number;
  stop(): Promise<void>;
}

const everyMs = 100;
/** A proxy that loses its lease says so a little later. */
const marginMs = 400;

export function watchSpans(proxies: readonly FakeProxy[], envoy: EnvoyProcess): Spans {
  const closed: { fromMs: number; untilMs: number }[] = [];
  let openSinceMs: number | null = null;
  let isOver = false;
  const look = async (): Promise<void> => {
    const isOwn = proxies.every((proxy) => proxy.isGoverned && proxy.flag('catalog')?.state === 'DISABLED');
    const isSo = isOwn && (await isClosedToTraffic(envoy).catch(() => false));
    const nowMs = performance.now();
    if (isSo) openSinceMs ??= nowMs;
    else if (openSinceMs !== null) {
      closed.push({ fromMs: openSinceMs, untilMs: nowMs - everyMs });
      openSinceMs = null;
    }
  };
  const running = (async () => {
    for (; !isOver; await pause(everyMs)) await look();
  })();
  return {
    covers: (atMs) => closed.some(({ fromMs, untilMs }) => atMs > fromMs + marginMs && atMs < untilMs - marginMs),
    seconds: (sinceMs) =>
      closed.filter(({ fromMs }) => fromMs >= sinceMs).reduce((sum, { fromMs, untilMs }) => sum + (untilMs - fromMs) / 1000, 0),
    stop: async () => {
      isOver = true;
      await running;
    },
  };
}

async function isClosedToTraffic(envoy: EnvoyProcess): Promise<boolean> {
  const samples = await envoy.metrics();
  const isGoverned = valueIn(samples, 'rekindle_governed', { service: SERVICE }) === 1;
  return isGoverned && markedIn(samples, 'rekindle_feature_state', { service: SERVICE, feature: 'catalog' }, 'state') === 'DISABLED';
}
