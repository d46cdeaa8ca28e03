import { type Timed, TimerWheel } from './timer-wheel.ts';

/** changed: there is something new; unchanged: the wait is over; stopping: this process is about to end. */
export type WatchAnswer = 'changed' | 'unchanged' | 'stopping';

/** One waiting poll. */
export interface Watcher extends Timed<Watcher> {
  readonly respond: (answer: WatchAnswer) => void;
  readonly group: Set<Watcher>;
}

/** Longest wait of a poll. */
const MAX_WAIT_MS = 60_000;
/** A wait may end this much late. */
const SLOT_MS = 100;
/** Answers in a row; some 10 ms. */
const SLICE = 200;

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

  /**
   * Answers all that wait for this service, a slice at a time: thousands of answers must not keep reports and ticks waiting. `done` is told
   * how many these were once the last one is answered, not at all if nobody waited.
   */
  push(service: string, done: (answered: number) => void): void {
    const waiting = [...(this.groups.get(service) ?? [])];
    if (waiting.length > 0) this.pushFrom(waiting, 0, done);
  }

  private pushFrom(waiting: readonly Watcher[], from: number, done: (answered: number) => void): void {
    for (const watcher of waiting.slice(from, from + SLICE)) this.answer(watcher, 'changed');
    if (from + SLICE < waiting.length) setImmediate(() => this.pushFrom(waiting, from + SLICE, done));
    else done(waiting.length);
  }

  /** Says goodbye to everybody and takes no further watchers. */
  stop(): void {
    this.isStopping = true;
    for (const group of this.groups.values()) for (const watcher of [...group]) this.answer(watcher, 'stopping');
    this.stopTimer();
  }

  /** One that has left, or was answered meanwhile, is not answered again. */
  private answer(watcher: Watcher, answer: WatchAnswer): void {
    if (!watcher.group.has(watcher)) return;
    this.leave(watcher);
    watcher.respond(answer);
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
