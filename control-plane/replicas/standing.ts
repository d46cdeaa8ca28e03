import type { Fleet } from '../fleet.ts';
import type { Standing as Shown } from '../metrics.ts';
import type { Ticker } from '../ticker.ts';
import type { Replicas } from './replicas.ts';

/** alone: the process has its store for itself. */
export type Role = 'alone' | 'leader' | 'follower';

/** How this process stands: what it is among the replicas, and whom it hears. */
export class Standing implements Shown {
  private readonly fleet: Fleet;
  private readonly ticker: Ticker;
  private readonly replicas: Replicas | null;

  constructor(fleet: Fleet, ticker: Ticker, replicas: Replicas | null) {
    this.fleet = fleet;
    this.ticker = ticker;
    this.replicas = replicas;
  }

  get isLeader(): boolean {
    return this.ticker.isLeader;
  }

  get role(): Role {
    if (!this.replicas) return 'alone';
    return this.isLeader ? 'leader' : 'follower';
  }

  get isStoreAnswering(): boolean {
    return this.ticker.isStoreAnswering && !this.replicas?.following.failure;
  }

  get leaderTickAgeMs(): number | null {
    const nowMs = this.fleet.clock();
    return this.isLeader || !this.replicas ? this.ticker.ageMs(nowMs) : this.replicas.governor.ageMs(nowMs);
  }

  /** Since everything that others wrote was last known to be here; null: never, or nobody else writes. */
  get followedAgeMs(): number | null {
    return this.replicas?.following.ageMs(this.fleet.clock()) ?? null;
  }

  /** The process takes nobody new. */
  get isStopping(): boolean {
    return this.fleet.watchers.stopping;
  }
}
