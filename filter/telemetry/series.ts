import { MetricKind } from "../abi/enums";
import { defineMetric, incrementMetric, recordMetric } from "../abi/metrics";

/**
 * `label=.=value;.;` in front of the name is the form from which Istio's bootstrap (`extraStatTags`), and our `stats_tags`, take labels.
 */
export function label(name: string, value: string): string {
  return name + "=.=" + value + ";.;";
}

/** A counter that is defined when it first counts and written on the tick. */
export class Counter {
  private id: i32 = -2;
  /** Counted since the last flush. */
  pending: i32 = 0;

  // @ts-ignore: decorator
  @inline add(): void {
    this.pending++;
  }

  /** Writes what was counted; to be called only when there is any, since the name is put together for it. */
  flush(name: string, labels: string): void {
    if (this.id == -2) this.id = defineMetric(MetricKind.Counter, labels + name);
    incrementMetric(this.id, this.pending);
    this.pending = 0;
  }

  /** The same for names that are at hand. */
  flushIfAny(name: string, labels: string): void {
    if (this.pending > 0) this.flush(name, labels);
  }
}

/** A gauge that is defined when it is first written, and written only when it changes. */
export class Gauge {
  private id: i32 = -2;
  private last: i64 = -1;

  /** Whether `set` would write. A series that was never anything but 0 is not made. */
  differs(value: i64): bool {
    return value != this.last && !(value == 0 && this.last == -1);
  }

  set(name: string, labels: string, value: i64): void {
    if (value == this.last) return;
    if (this.id == -2) this.id = defineMetric(MetricKind.Gauge, labels + name);
    recordMetric(this.id, <u64>max<i64>(value, 0));
    this.last = value;
  }

  /** The next `set` writes even the same value: another VM may have written in between. `all`: even what this one never wrote. */
  forget(all: bool): void {
    if (all || this.last >= 0) this.last = -2;
  }

  /** What it measured is gone. */
  retire(name: string, labels: string): void {
    if (this.last > 0) this.set(name, labels, 0);
  }
}

/** A series per word of a closed set: 1 for the word that holds, 0 for those that held before. */
export class OneOf {
  private readonly gauges: Gauge[] = [];

  constructor(
    private readonly label: string,
    private readonly words: StaticArray<string>,
  ) {
    for (let i = 0; i < words.length; i++) this.gauges.push(new Gauge());
  }

  set(name: string, labels: string, word: i32): void {
    for (let i = 0; i < this.gauges.length; i++) {
      const value = i == word ? 1 : 0;
      if (this.gauges[i].differs(value)) this.gauges[i].set(name, labels + label(this.label, this.words[i]), value);
    }
  }

  forget(all: bool): void {
    for (let i = 0; i < this.gauges.length; i++) this.gauges[i].forget(all);
  }
}

/** A histogram that is defined with its first sample. */
export class Histogram {
  private id: i32 = -2;

  record(name: string, labels: string, value: i64): void {
    if (this.id == -2) this.id = defineMetric(MetricKind.Histogram, labels + name);
    recordMetric(this.id, <u64>max<i64>(value, 0));
  }
}
