import type { Logger } from 'pino';
import type { ServiceState } from './domain/model.ts';
import { groupOf } from './domain/probe-permits.ts';

import { rampingPriorities } from './domain/recovery/step.ts';
import { type Leadership, tickService } from './fleet/tick.ts';
import { Deposed, type Fleet } from './fleet.ts';
import type { Metrics } from './metrics.ts';
import type { Store } from './store/store.ts';

/** A leader that does not renew for this long has lost the lead, where a store has more than one process. */
const LEASE_MS = 5000;

export interface TickerDependencies {
  readonly fleet: Fleet;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Name of this process among those that may lead. */
  readonly holder: string;
  readonly everyMs: number;
}

/** Carries every service on at a fixed pace, as long as this process leads. */
export class Ticker {
  private readonly fleet: Fleet;
  private readonly store: Store;
  private readonly log: Logger;
  private readonly metrics: Metrics;
  private readonly holder: string;
  private readonly everyMs: number;
  private leadership: Leadership | null = null;
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private lastTickMs: number | null = null;

  constructor({ fleet, store, log, metrics, holder, everyMs }: TickerDependencies) {
    this.fleet = fleet;
    this.store = store;
    this.log = log;
    this.metrics = metrics;
    this.holder = holder;
    this.everyMs = everyMs;
  }

  start(): void {
    const next = () => {
      this.running = this.tick()
        .catch((error: unknown) => this.log.error({ err: error }, 'tick failed'))
        .finally(() => {
          if (this.timer) this.timer = setTimeout(next, this.everyMs).unref();
        });
    };
    this.timer = setTimeout(next, 0).unref();
  }

  /** No tick runs once this resolves. */
  async stop(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    await this.running;
  }

  /** One pass over all services. */
  async tick(): Promise<void> {
    const stopTimer = this.metrics.tickSeconds.startTimer();
    const leadership = await this.lead(this.fleet.clock());
    if (!leadership) return;
    const live = this.fleet.live();
    const ramping = rampingByGroup(live.map(({ state }) => state));
    const results = await Promise.allSettled(
      live.map(({ service, state }) => tickService(this.fleet, service, leadership, elsewhere(ramping.get(groupOf(state)), service.name))),
    );
    for (const [index, result] of results.entries())
      if (result.status === 'rejected') this.failed(live[index]!.service.name, result.reason);
    this.lastTickMs = this.fleet.clock();
    stopTimer();
  }

  get isLeader(): boolean {
    return this.leadership !== null;
  }

  /** Time since the last whole tick; null: none yet. */
  ageMs(nowMs: number): number | null {
    return this.lastTickMs === null ? null : nowMs - this.lastTickMs;
  }

  private async lead(nowMs: number): Promise<Leadership | null> {
    const fence = await this.store.lead(this.holder, LEASE_MS);
    if (!fence) {
      if (this.leadership) this.log.warn({ holder: this.holder }, 'another process leads now');
      this.leadership = null;
    } else if (this.leadership?.fence.counter !== fence.counter) {
      this.log.info({ ...fence, holder: this.holder }, 'leading');
      this.leadership = { fence, sinceMs: nowMs };
    }
    return this.leadership;
  }

  /** The service goes without a tick, so that its proxies come to rely on themselves; the others go on. */
  private failed(service: string, reason: unknown): void {
    if (reason instanceof Deposed) this.leadership = null;
    this.metrics.ticksFailed.inc({ service });
    if ((reason as { code?: string }).code === 'REKINDLE_STORE_FAILED') return; // logged where it happened
    this.log.error({ err: reason, service }, 'tick of a service failed');
  }
}

type Ramping = { readonly service: string; readonly priorities: readonly number[] };

/** Priorities of the features that ramp now, by service, for those that share an upstream (R8). */
function rampingByGroup(states: readonly ServiceState[]): ReadonlyMap<string, readonly Ramping[]> {
  const groups = new Map<string, Ramping[]>();
  for (const state of states) {
    const group = groups.get(groupOf(state)) ?? [];
    group.push({ service: state.service, priorities: rampingPriorities(state) });
    groups.set(groupOf(state), group);
  }
  return groups;
}

function elsewhere(group: readonly Ramping[] | undefined, service: string): readonly number[] {
  return (group ?? []).filter((ramping) => ramping.service !== service).flatMap(({ priorities }) => priorities);
}
