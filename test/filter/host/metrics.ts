import { MetricType, Result } from './enums.ts';

interface Series {
  readonly type: number;
  value: bigint;
  readonly samples: number[];
}

export type Labels = Readonly<Record<string, string>>;

/** `label=.=value;.;label=.=value;.;name` taken apart, as Istio's and our own stats_tags do. */
export function parseSeriesName(full: string): { name: string; labels: Record<string, string> } {
  const labels: Record<string, string> = {};
  const name = full.replace(/([a-z_]+)=\.=(.*?);\.;/g, (_match, label: string, value: string) => {
    labels[label] = value;
    return '';
  });
  return { name, labels };
}

/** Stats of one proxy process: all VMs that define a name write into the same series. */
export class MetricStore {
  readonly #series = new Map<string, Series>();

  /** Full names of all series that were ever defined. */
  get names(): string[] {
    return [...this.#series.keys()];
  }

  series(type: number, name: string): Series {
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const made = { type, value: 0n, samples: [] };
    this.#series.set(name, made);
    return made;
  }

  /** Sum over the series of this name that carry these labels. */
  value(name: string, labels: Labels = {}): number {
    return this.#matching(name, labels).reduce((sum, series) => sum + Number(series.value), 0);
  }

  samples(name: string, labels: Labels = {}): number[] {
    return this.#matching(name, labels).flatMap((series) => series.samples);
  }

  #matching(name: string, labels: Labels): Series[] {
    return [...this.#series].flatMap(([full, series]) => {
      const parsed = parseSeriesName(full);
      const matches = parsed.name === name && Object.entries(labels).every(([label, value]) => parsed.labels[label] === value);
      return matches ? [series] : [];
    });
  }
}

/** Metric ids of one VM: each definition makes a new id, even for a known name. */
export class MetricIds {
  readonly #store: MetricStore;
  readonly #byId = new Map<number, Series>();
  readonly #next = [MetricType.Counter, MetricType.Gauge, MetricType.Histogram] as number[];
  /** Names in the order of their definition; a name twice costs memory in the host for ever. */
  readonly defined: string[] = [];

  constructor(store: MetricStore) {
    this.#store = store;
  }

  define(type: number, name: string): number | null {
    const last = this.#next[type];
    if (last === undefined) return null;
    const id = last + 4;
    this.#next[type] = id;
    this.#byId.set(id, this.#store.series(type, name));
    this.defined.push(name);
    return id;
  }

  increment(id: number, offset: bigint): number {
    if ((id & 3) === MetricType.Histogram) return Result.BadArgument;
    const series = this.#byId.get(id);
    if (series === undefined) return Result.NotFound;
    if (series.type === MetricType.Counter && offset <= 0n) return Result.BadArgument;
    series.value += offset;
    return Result.Ok;
  }

  record(id: number, value: bigint): number {
    const series = this.#byId.get(id);
    if (series === undefined) return Result.NotFound;
    if (series.type === MetricType.Histogram) series.samples.push(Number(value));
    else if (series.type === MetricType.Gauge) series.value = value;
    else series.value += value;
    return Result.Ok;
  }

  get(id: number): bigint | number {
    if ((id & 3) === MetricType.Histogram) return Result.BadArgument;
    return this.#byId.get(id)?.value ?? Result.NotFound;
  }
}
