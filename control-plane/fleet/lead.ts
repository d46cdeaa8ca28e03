import type { Logger } from 'pino';
import type { Fence, Store } from '../store/store.ts';

/** A leader that does not renew for this long has lost the lead, where a store has more than one process. */
export const LEASE_MS = 3000;

/** A leadership of this process. */
export interface Leadership {
  readonly fence: Fence;
  readonly sinceMs: number;
}

export interface LeadDependencies {
  readonly store: Store;
  readonly clock: () => number;
  /** Name of this process among those that may lead. */
  readonly holder: string;
  readonly log: Logger;
}

/** Whether this process leads. It knows when its lease is over without asking: a process that slept must not go by what held before. */
export class Lead {
  readonly holder: string;
  private readonly store: Store;
  private readonly clock: () => number;
  private readonly log: Logger;
  private leadership: Leadership | null = null;
  private untilMs = 0;

  constructor({ store, clock, holder, log }: LeadDependencies) {
    this.store = store;
    this.clock = clock;
    this.holder = holder;
    this.log = log;
  }

  /** The leadership as of now; null: another process leads, or may by now. */
  get present(): Leadership | null {
    return this.leadership && this.clock() < this.untilMs ? this.leadership : null;
  }

  /** Takes the lead, or renews it; null: another process has it. */
  async take(): Promise<Leadership | null> {
    const askedAtMs = this.clock();
    const fence = await this.store.lead(this.holder, LEASE_MS);
    if (!fence) {
      this.lose();
      return null;
    }
    // The store counts from later than this, so it never gives the lead to another one before.
    this.untilMs = this.store.bus ? askedAtMs + LEASE_MS : Number.POSITIVE_INFINITY;
    const { counter, lineage } = this.leadership?.fence ?? {};
    if (!this.leadership || counter !== fence.counter || lineage !== fence.lineage) {
      this.leadership = { fence, sinceMs: askedAtMs };
      this.log.info({ ...fence, holder: this.holder }, 'leading');
    }
    return this.leadership;
  }

  lose(): void {
    if (this.leadership) this.log.warn({ holder: this.holder }, 'another process leads now');
    this.leadership = null;
  }
}
