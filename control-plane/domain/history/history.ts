import { type FeatureDelta, isNothing } from '../evidence-delta.ts';
import { Heard, type Stretch } from './heard.ts';
import { COARSE_KEPT_MS, Series } from './series.ts';
import type { HistoryWindow } from './window.ts';

/** Room for the history of all services of a process. */
const HISTORY_BYTES = 64 * 2 ** 20;
/** Series and proxies without a report for as long as the longest window is kept are looked for this often. */
const SWEEP_MS = 60_000;
/** What a proxy takes beside its series, roughly. */
const SPEAKER_BYTES = 1000;

/** Whom a series is of: one proxy, or all of a service together. */
interface Speaker {
  readonly heard: Heard;
  readonly series: Map<string, Series>;
}

/** What a report brings. */
export interface Told {
  readonly service: string;
  readonly node: string;
  /** A report that comes later than this after the one before it leaves a gap. */
  readonly silentAfterMs: number;
  readonly deltas: readonly FeatureDelta[];
}

export interface FeatureHistory {
  readonly windows: readonly HistoryWindow[];
  /** When anybody told; outside of these stretches no window means that nothing is known. */
  readonly heard: readonly Stretch[];
  /** Before this moment it is not complete: some was given up for want of room. */
  readonly completeFromMs: number;
}

/**
 * What features did in the last hour, in memory, under one cap for all services: per proxy and over all of them. When room runs out the
 * proxies' own series lose their oldest part first, in turns.
 */
export class History {
  private readonly capBytes: number;
  private readonly services = new Map<string, Speaker>();
  private readonly proxies = new Map<string, Map<string, Speaker>>();
  /** In the order in which they are to give room. */
  private readonly ofProxies = new Set<Series>();
  private readonly ofServices = new Set<Series>();
  private used = 0;
  private sweptAtMs = 0;

  constructor(capBytes: number = HISTORY_BYTES) {
    this.capBytes = capBytes;
  }

  /** Bytes taken, roughly. */
  get bytes(): number {
    return this.used;
  }

  record({ service, node, silentAfterMs, deltas }: Told, nowMs: number): void {
    if (nowMs - this.sweptAtMs >= SWEEP_MS) this.sweep(nowMs);
    const all = this.serviceOf(service);
    const proxy = this.proxyOf(service, node);
    all.heard.note(nowMs, silentAfterMs);
    proxy?.heard.note(nowMs, silentAfterMs);
    for (const delta of deltas) {
      if (isNothing(delta)) continue;
      this.add(all, this.ofServices, delta, nowMs);
      if (proxy) this.add(proxy, this.ofProxies, delta, nowMs);
    }
    if (this.used > this.capBytes) this.makeRoom();
  }

  /** Of one proxy, or of all together (`node` null). */
  read(service: string, feature: string, node: string | null, nowMs: number): FeatureHistory {
    const speaker = node === null ? this.services.get(service) : this.proxies.get(service)?.get(node);
    const series = speaker?.series.get(feature);
    return {
      windows: series?.windows(nowMs) ?? [],
      heard: speaker?.heard.since(nowMs - COARSE_KEPT_MS) ?? [],
      completeFromMs: series?.completeFromMs(nowMs) ?? 0,
    };
  }

  /** Proxies of a service that told something in the last hour. */
  nodes(service: string): string[] {
    return [...(this.proxies.get(service)?.keys() ?? [])].sort();
  }

  /** The service was deleted. */
  forget(service: string): void {
    for (const speaker of [this.services.get(service), ...(this.proxies.get(service)?.values() ?? [])]) if (speaker) this.drop(speaker);
    this.services.delete(service);
    this.proxies.delete(service);
  }

  /** What is there stays; newcomers wait until there is room. */
  private get isFull(): boolean {
    return this.used >= this.capBytes;
  }

  private serviceOf(service: string): Speaker {
    let speaker = this.services.get(service);
    if (!speaker) {
      speaker = this.newSpeaker();
      this.services.set(service, speaker);
    }
    return speaker;
  }

  private proxyOf(service: string, node: string): Speaker | null {
    let nodes = this.proxies.get(service);
    if (!nodes) {
      nodes = new Map();
      this.proxies.set(service, nodes);
    }
    let speaker = nodes.get(node);
    if (!speaker) {
      if (this.isFull) return null;
      speaker = this.newSpeaker();
      nodes.set(node, speaker);
    }
    return speaker;
  }

  private newSpeaker(): Speaker {
    this.used += SPEAKER_BYTES;
    return { heard: new Heard(), series: new Map() };
  }

  private add(speaker: Speaker, queue: Set<Series>, delta: FeatureDelta, nowMs: number): void {
    let series = speaker.series.get(delta.feature);
    if (!series) {
      if (this.isFull) return;
      series = new Series();
      speaker.series.set(delta.feature, series);
      queue.add(series);
      this.used += series.size;
    }
    const before = series.size;
    series.add(delta, nowMs);
    this.used += series.size - before;
  }

  private makeRoom(): void {
    for (const queue of [this.ofProxies, this.ofServices]) {
      for (const series of queue) {
        if (this.used <= this.capBytes) return;
        const before = series.size;
        if (!series.shrink()) continue;
        this.used += series.size - before;
        queue.delete(series); // to the end: the next one is next
        queue.add(series);
      }
    }
  }

  private sweep(nowMs: number): void {
    this.sweptAtMs = nowMs;
    const isOld = (lastMs: number) => nowMs - lastMs > COARSE_KEPT_MS;
    for (const nodes of this.proxies.values()) {
      for (const [node, speaker] of nodes) {
        if (!isOld(speaker.heard.lastMs)) this.dropOld(speaker, isOld);
        else {
          this.drop(speaker);
          nodes.delete(node);
        }
      }
    }
    for (const speaker of this.services.values()) this.dropOld(speaker, isOld);
  }

  private dropOld(speaker: Speaker, isOld: (lastMs: number) => boolean): void {
    for (const [feature, series] of speaker.series) {
      if (!isOld(series.lastMs)) continue;
      speaker.series.delete(feature);
      this.dropSeries(series);
    }
  }

  private drop(speaker: Speaker): void {
    for (const series of speaker.series.values()) this.dropSeries(series);
    this.used -= SPEAKER_BYTES;
  }

  private dropSeries(series: Series): void {
    this.used -= series.size;
    this.ofProxies.delete(series);
    this.ofServices.delete(series);
  }
}
