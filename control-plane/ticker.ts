import type { Logger } from 'pino';
import type { ServiceState } from './domain/model.ts';
import { groupOf } from './domain/probe-permits.ts';
import { rampingPriorities } from './domain/recovery/step.ts';
import type { Lead, Leadership } from './fleet/lead.ts';
import { tickService } from './fleet/tick.ts';
import { Deposed, type Fleet } from './fleet.ts';
import type { Metrics } from './metrics.ts';
import { StoreFault } from './store/store.ts';

/** Whoever must know of the leader's ticks. */
export interface TickListener {
  /** This process leads from now on; nothing is decided before this resolves. */
  begins(leadership: Leadership): Promise<void>;
  /** A tick is over; `failed`: services that went without it. */
  ticked(leadership: Leadership, failed: readonly string[]): Promise<void>;
}

/** Of a process that has its store for itself. */
export const ALONE: TickListener = { begins: async () => undefined, ticked: async () => undefined };

export interface TickerDependencies {
  readonly fleet: Fleet;
  readonly lead: Lead;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly everyMs: number;
  readonly listener: TickListener;
}

/** Carries every service on at a fixed pace, as long as this process leads. */
export class Ticker {
  private readonly fleet: Fleet;
  private readonly lead: Lead;
  private readonly log: Logger;
  private readonly metrics: Metrics;
  private readonly everyMs: number;
  private readonly listener: TickListener;
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private lastTickMs: number | null = null;
  /** The leadership whose beginning all know of. */
  private begun: Leadership | null = null;
  /** The store does not let this process tick; told once per outage. */
  private isKept = false;

  constructor({ fleet, lead, log, metrics, everyMs, listener }: TickerDependencies) {
    this.fleet = fleet;
    this.lead = lead;
    this.log = log;
    this.metrics = metrics;
    this.everyMs = everyMs;
    this.listener = listener;
  }

  start(): void {
    const next = () => {
      this.running = this.tick()
        .catch((error: unknown) => this.interrupted(error))
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

  /** One pass over all services, if this process leads. */
  async tick(): Promise<void> {
    const stopTimer = this.metrics.tickSeconds.startTimer();
    const leadership = await this.lead.take();
    this.isKept = false;
    if (!leadership) return;
    if (this.begun !== leadership) await this.listener.begins(leadership);
    this.begun = leadership;
    const failed = await this.pass(leadership);
    if (this.lead.present !== leadership) return; // it took so long that another one may lead: nobody may go by it
    this.lastTickMs = this.fleet.clock();
    await this.listener.ticked(leadership, failed);
    stopTimer();
  }

  get isLeader(): boolean {
    return this.lead.present !== null;
  }

  /** Time since the last whole tick; null: none yet. */
  ageMs(nowMs: number): number | null {
    return this.lastTickMs === null ? null : nowMs - this.lastTickMs;
  }

  /** Gives the services that failed. */
  private async pass(leadership: Leadership): Promise<readonly string[]> {
    const live = this.fleet.live();
    const ramping = rampingByGroup(live.map(({ state }) => state));
    const results = await Promise.allSettled(
      live.map(({ service, state }) => {
        const others = elsewhere(ramping.get(groupOf(state)), service.name);
        return tickService(this.fleet, service, this.lead, leadership, others);
      }),
    );
    return results.flatMap((result, index) => {
      if (result.status === 'fulfilled') return [];
      const { name } = live[index]!.service;
      this.failed(name, result.reason);
      return [name];
    });
  }

  /** The service goes without a tick, so that its proxies come to rely on themselves; the others go on. */
  private failed(service: string, reason: unknown): void {
    if (reason instanceof Deposed) {
      this.lead.lose();
      return;
    }
    this.metrics.ticksFailed.inc({ service });
    if ((reason as { code?: string }).code === 'REKINDLE_STORE_FAILED') return; // logged where it happened
    this.log.error({ err: reason, service }, 'tick of a service failed');
  }

  /** Whether the last tick found the store usable. */
  get isStoreAnswering(): boolean {
    return !this.isKept;
  }

  private interrupted(error: unknown): void {
    if (!(error instanceof StoreFault)) this.log.error({ err: error }, 'tick failed');
    else if (!this.isKept) this.log.warn({ fault: error.kind }, `no ticks until the store can be used: ${error.message}`);
    this.isKept = error instanceof StoreFault;
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
