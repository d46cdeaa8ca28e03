import { type Timed, TimerWheel } from './timer-wheel.ts';

/** changed: there is something new; unchanged: the wait is over; stopping: this process is about to end. */
export type WatchAnswer = 'changed' | 'unchanged' | 'stopping';

/** One waiting poll. */
export interface Watcher extends Timed<Watcher> {
  readonly respond: (answer: WatchAnswer) => void;
  readonly group: Set<Watcher>;
}

/** Longest wait of a poll. */
export const MAX_WAIT_MS = 60_000;
/** A wait may end this much late. */
const SLOT_MS = 100;

/** The polls that wait in this process, with one timer for all of them. */
export class Watchers {
  private readonly groups = new Map<string, Set<Watcher>>();
  private readonly wheel: TimerWheel<Watcher>;
  private readonly clock: () => number;
  private readonly limit: number;
  private timer: NodeJS.Timeout | null = null;
  private isStopping = false;

  constructor(clock: () => number, limit: number) {
    this.clock = clock;
    this.limit = limit;
    this.wheel = new TimerWheel(MAX_WAIT_MS, SLOT_MS, (watcher) => {
      watcher.group.delete(watcher);
      watcher.respond('unchanged');
    });
  }

  get count(): number {
    return this.wheel.size;
  }

  get stopping(): boolean {
    return this.isStopping;
  }

  /** Waits for news of a service; `respond` is called exactly once unless the watcher leaves. null: no room for another one. */
  wait(service: string, waitMs: number, respond: (answer: WatchAnswer) => void): Watcher | null {
    if (this.isStopping || this.count >= this.limit) return null;
    const group = this.groups.get(service) ?? new Set<Watcher>();
    this.groups.set(service, group);
    const watcher: Watcher = { respond, group, slot: null };
    this.wheel.set(watcher, this.clock(), waitMs);
    group.add(watcher);
    this.startTimer();
    return watcher;
  }

  /** The client went away. */
  leave(watcher: Watcher): void {
    watcher.group.delete(watcher);
    this.wheel.cancel(watcher);
  }

  /** Answers all that wait for this service, and says how many these were. */
  push(service: string): number {
    return this.answerAll(this.groups.get(service), 'changed');
  }

  /** Says goodbye to everybody and takes no further watchers. */
  stop(): void {
    this.isStopping = true;
    for (const group of this.groups.values()) this.answerAll(group, 'stopping');
    this.stopTimer();
  }

  private answerAll(group: Set<Watcher> | undefined, answer: WatchAnswer): number {
    if (!group) return 0;
    const waiting = [...group];
    for (const watcher of waiting) {
      this.leave(watcher);
      watcher.respond(answer);
    }
    return waiting.length;
  }

  private startTimer(): void {
    this.timer ??= setInterval(() => this.turn(), SLOT_MS).unref();
  }

  private turn(): void {
    this.wheel.advance(this.clock());
    if (this.count === 0) this.stopTimer();
  }

  private stopTimer(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }
}
