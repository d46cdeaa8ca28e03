import type { FeatureDelta } from '../evidence-delta.ts';
import { Chunk } from './chunk.ts';
import { addDelta, type HistoryWindow, VALUES, windowOf } from './window.ts';

/** What a series takes beside its chunks, roughly. */
const OVERHEAD_BYTES = 600;

const nothing = (): number[] => Array.from({ length: VALUES }, () => 0);

/** Windows of one length, the newest of them open. */
class Windows {
  private readonly slotMs: number;
  private readonly keepMs: number;
  private readonly onClosed: (values: readonly number[], atMs: number) => void;
  private chunks: Chunk[] = [];
  private openSlot = -1;
  private open = nothing();

  constructor(slotMs: number, keepMs: number, onClosed: (values: readonly number[], atMs: number) => void = () => undefined) {
    this.slotMs = slotMs;
    this.keepMs = keepMs;
    this.onClosed = onClosed;
  }

  get size(): number {
    return this.chunks.reduce((total, chunk) => total + chunk.size, 0);
  }

  /** The values of the window that this moment lies in, to be added to. */
  at(ms: number): number[] {
    const slot = Math.floor(ms / this.slotMs);
    if (slot > this.openSlot) {
      this.close();
      this.openSlot = slot;
      this.forget(ms);
    }
    return this.open;
  }

  /** Forgets the oldest chunk and tells where it ended; null: there is none. */
  drop(): number | null {
    const oldest = this.chunks.shift();
    return oldest ? (oldest.lastSlot + 1) * this.slotMs : null;
  }

  read(fromMs: number, each: (window: HistoryWindow) => void): void {
    const tell = (slot: number, values: readonly number[]) => {
      if ((slot + 1) * this.slotMs > fromMs) each(windowOf(values, slot * this.slotMs, this.slotMs));
    };
    for (const chunk of this.chunks) chunk.read(tell);
    if (this.open.some((value) => value !== 0)) tell(this.openSlot, this.open);
  }

  private close(): void {
    if (!this.open.some((value) => value !== 0)) return;
    let last = this.chunks.at(-1);
    if (!last || last.isFull) {
      last = new Chunk(this.openSlot);
      this.chunks.push(last);
    }
    last.add(this.openSlot, this.open);
    this.onClosed(this.open, this.openSlot * this.slotMs);
    this.open = nothing();
  }

  private forget(nowMs: number): void {
    const oldest = Math.floor((nowMs - this.keepMs) / this.slotMs);
    while (this.chunks[0] && this.chunks[0].lastSlot < oldest) this.chunks.shift();
  }
}

export const FINE_MS = 1000;
const FINE_KEPT_MS = 600_000;
const COARSE_MS = 10_000;
export const COARSE_KEPT_MS = 3_600_000;

/** One feature over time, of one proxy or of all: seconds for ten minutes, ten seconds each for an hour. */
export class Series {
  private readonly coarse = new Windows(COARSE_MS, COARSE_KEPT_MS);
  private readonly fine = new Windows(FINE_MS, FINE_KEPT_MS, (values, atMs) => {
    const sums = this.coarse.at(atMs);
    for (let index = 0; index < VALUES; index++) sums[index]! += values[index]!;
  });
  /** What ended before these moments was given up for want of room. */
  private coarseGoneMs = 0;
  private fineGoneMs = 0;
  private bytes = OVERHEAD_BYTES;
  lastMs = 0;

  /** Bytes that it takes, roughly; renewed with each window. */
  get size(): number {
    return this.bytes;
  }

  /** Before this moment something is missing; 0: nothing is. */
  completeFromMs(nowMs: number): number {
    return Math.max(Math.min(this.coarseGoneMs, fineFromMs(nowMs)), this.fineGoneMs);
  }

  add(delta: FeatureDelta, nowMs: number): void {
    addDelta(this.fine.at(nowMs), delta);
    if (nowMs - this.lastMs < FINE_MS) return;
    this.lastMs = nowMs;
    this.measure();
  }

  /** Gives up what is oldest, an hour's windows before the last minutes'; false: there is nothing left but the open windows. */
  shrink(): boolean {
    const coarseMs = this.coarse.drop();
    const fineMs = coarseMs === null ? this.fine.drop() : null;
    this.coarseGoneMs = Math.max(this.coarseGoneMs, coarseMs ?? 0);
    this.fineGoneMs = Math.max(this.fineGoneMs, fineMs ?? 0);
    this.measure();
    return coarseMs !== null || fineMs !== null;
  }

  private measure(): void {
    this.bytes = OVERHEAD_BYTES + this.fine.size + this.coarse.size;
  }

  /** Windows in order of time: ten seconds each before the last ten minutes, seconds since. */
  windows(nowMs: number): HistoryWindow[] {
    const found: HistoryWindow[] = [];
    const fromMs = fineFromMs(nowMs);
    this.coarse.read(nowMs - COARSE_KEPT_MS, (window) => {
      if (window.atMs < fromMs) found.push(window);
    });
    this.fine.read(fromMs, (window) => {
      if (window.atMs >= fromMs) found.push(window);
    });
    return found;
  }
}

/** From here on windows of one second are told. */
function fineFromMs(nowMs: number): number {
  return Math.floor((nowMs - FINE_KEPT_MS) / COARSE_MS) * COARSE_MS;
}
