import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { buildControlPlane, type ControlPlane } from '../../../control-plane/app.ts';
import { openRedisStore } from '../../../control-plane/store/redis/redis-store.ts';
import type { Store } from '../../../control-plane/store/store.ts';
import { OPEN_ACCESS, type StageOptions } from '../fleet/stage.ts';

export interface Replica extends ControlPlane {
  readonly store: Store;
  readonly holder: string;
  readonly lines: Record<string, unknown>[];
}

export interface ReplicaOptions extends Pick<StageOptions, 'around' | 'access'> {
  /** Moved by hand, in place of the store's clock; leases go by Redis's clock all the same. */
  readonly time?: { nowMs: number };
  /** Whether it ticks by itself, as the process does; else the test ticks. */
  readonly ticks?: boolean;
}

/** A replica on the store at `url`, in this process; it goes with the test. */
export async function replicaAt(url: URL, options: ReplicaOptions = {}): Promise<Replica> {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const { time } = options;
  const opened = await openRedisStore({ url, log });
  const store = options.around?.(opened) ?? opened;
  const holder = `test-${randomUUID()}`;
  const built = await buildControlPlane({
    store,
    clock: time ? () => time.nowMs : store.clock!,
    random: () => 0.5,
    log,
    holder,
    tickMs: 50,
    maxWatchers: 100,
    copyBudgetBytes: 1024 * 1024,
    access: { ...OPEN_ACCESS, ...options.access },
  });
  built.app.addHook('onClose', () => opened.close());
  onTestFinished(() => built.app.close());
  built.replicas!.start();
  if (options.ticks) built.ticker.start();
  return { ...built, store, holder, lines };
}
