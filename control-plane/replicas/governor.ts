import type { Fleet } from '../fleet.ts';
import type { Store } from '../store/store.ts';

/** What the leader says with each tick; the store keeps the latest, for those who did not hear it. */
export interface Announcement {
  readonly lineage: string;
  readonly counter: number;
  readonly holder: string;
  /** Grows by one per tick of this leader. */
  readonly tick: number;
  /** Services that went without this tick. */
  readonly failed: readonly string[];
  /** From then on no probe permit that was granted so far counts any more; on the clock of the fleet. */
  readonly permitsUntilMs: number;
}

/** What this replica has seen of the leader: whose tick moved last, and when (R2). */
export class Governor {
  private readonly fleet: Fleet;
  private readonly store: Store;
  private readonly self: string;
  private last: Announcement | null = null;
  private latestPermitsMs = 0;
  private sawTickAtMs: number | null = null;

  constructor(fleet: Fleet, store: Store, self: string) {
    this.fleet = fleet;
    this.store = store;
    this.self = self;
  }

  /** Name of the replica that leads as far as is known; null: nobody has been heard of. */
  get leader(): string | null {
    return this.last?.holder ?? null;
  }

  /** Until then permits of any leader heard of may be out. */
  get permitsUntilMs(): number {
    return this.latestPermitsMs;
  }

  /** Time since the leader's tick was last seen to move; null: never. */
  ageMs(nowMs: number): number | null {
    return this.sawTickAtMs === null ? null : Math.max(0, nowMs - this.sawTickAtMs);
  }

  /** Takes an announcement as it comes. */
  hear(message: string): void {
    const said = this.newer(message);
    if (said) this.moved(said);
  }

  /** Takes what the store keeps. The first sight does not tell when the tick moved, so it is no tick. */
  read(message: string | null): void {
    const isFirst = this.last?.lineage !== this.store.lineage;
    const said = message === null ? null : this.newer(message);
    if (said && !isFirst) this.moved(said);
  }

  private newer(message: string): Announcement | null {
    const said = parsed(message);
    if (!said) return null;
    this.latestPermitsMs = Math.max(this.latestPermitsMs, said.permitsUntilMs); // also of leaders and histories that are over
    if (said.lineage !== this.store.lineage) return null;
    const last = this.last?.lineage === said.lineage ? this.last : null;
    const isNewer = !last || said.counter > last.counter || (said.counter === last.counter && said.tick > last.tick);
    if (!isNewer) return null;
    this.last = said;
    return said;
  }

  /** A replica ticks its own services itself when it leads. */
  private moved({ holder, failed }: Announcement): void {
    const nowMs = this.fleet.clock();
    this.sawTickAtMs = nowMs;
    if (holder === this.self) return;
    const without = new Set(failed);
    for (const service of this.fleet.held()) if (!without.has(service.name)) service.tickedAtMs = nowMs;
  }
}

/** What a replica of another version says may be something else. */
function parsed(message: string): Announcement | null {
  try {
    const said = JSON.parse(message) as Announcement;
    return typeof said.permitsUntilMs === 'number' && Array.isArray(said.failed) ? said : null;
  } catch {
    return null;
  }
}
