import type { FeatureHistory } from '../domain/history/history.ts';
import { FINE_MS } from '../domain/history/series.ts';
import type { HistoryWindow } from '../domain/history/window.ts';

/**
 * Why a stretch cannot be judged, or not surely. refused: requests were kept from the upstream, so how they would have ended is not known;
 * not-heard: no proxy told; given-up: the history had no room; late: told late, so when it happened is not known; coarse: only the sums of
 * ten seconds are left.
 */
export type Unknown = 'refused' | 'not-heard' | 'given-up' | 'late' | 'coarse';

export interface UnknownSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly because: Unknown;
}

/** What a replay meets in order of time: a window that it can judge, or a gap after which nothing from before counts. */
export type ReplayEvent = { readonly window: HistoryWindow } | { readonly gap: UnknownSpan };

/** The recorded windows from a moment on, with all that is not known in its place. */
export function eventsOf(history: FeatureHistory, fromMs: number, nowMs: number): ReplayEvent[] {
  const windows = history.windows.filter(({ atMs, lengthMs }) => atMs + lengthMs > fromMs).map(eventOf);
  const gaps = [...silences(history, fromMs, nowMs), ...givenUp(history, fromMs)].map((gap) => ({ gap }));
  return [...windows, ...gaps].sort((a, b) => startOf(a) - startOf(b));
}

/** The stretches that are not known, neighbours of one kind as one. */
export function unknownSpans(events: readonly ReplayEvent[]): UnknownSpan[] {
  const spans: { fromMs: number; toMs: number; because: Unknown }[] = [];
  for (const event of events) {
    const span = 'gap' in event ? event.gap : coarseSpan(event.window);
    if (!span) continue;
    const same = spans.findLast(({ because }) => because === span.because);
    if (same && span.fromMs <= same.toMs + FINE_MS) same.toMs = Math.max(same.toMs, span.toMs);
    else spans.push({ ...span });
  }
  return spans;
}

function eventOf(window: HistoryWindow): ReplayEvent {
  const because = window.counts.refused > 0 ? 'refused' : window.late ? 'late' : null;
  return because ? { gap: { fromMs: window.atMs, toMs: window.atMs + window.lengthMs, because } } : { window };
}

function coarseSpan({ atMs, lengthMs }: HistoryWindow): UnknownSpan | null {
  return lengthMs > FINE_MS ? { fromMs: atMs, toMs: atMs + lengthMs, because: 'coarse' } : null;
}

function silences({ heard }: FeatureHistory, fromMs: number, nowMs: number): UnknownSpan[] {
  const spans: UnknownSpan[] = [];
  let sinceMs = fromMs;
  for (const { fromMs: start, toMs } of heard) {
    if (start > sinceMs) spans.push({ fromMs: sinceMs, toMs: start, because: 'not-heard' });
    sinceMs = Math.max(sinceMs, toMs);
  }
  // The next report is always on its way; only what is overdue is a silence, and that shows as a stretch that ended.
  return sinceMs === fromMs && heard.length === 0 ? [{ fromMs, toMs: nowMs, because: 'not-heard' }] : spans;
}

function givenUp({ completeFromMs }: FeatureHistory, fromMs: number): UnknownSpan[] {
  return completeFromMs > fromMs ? [{ fromMs, toMs: completeFromMs, because: 'given-up' }] : [];
}

function startOf(event: ReplayEvent): number {
  return 'gap' in event ? event.gap.fromMs : event.window.atMs;
}
