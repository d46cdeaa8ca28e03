/** One line of a Prometheus text exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the samples of a Prometheus text; comments are left out. */
export function parseSamples(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    return match === null ? [] : [{ name: match[1] ?? '', labels: parseLabels(match[2] ?? ''), value: Number(match[3]) }];
  });
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]));
}

/** Value of the series with this name and at least these labels; null when there is none. */
export function valueIn(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number | null {
  return samples.find((sample) => sample.name === name && hasLabels(sample, labels))?.value ?? null;
}

/** Sum over all series with this name and at least these labels. */
export function sumIn(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples.filter((sample) => sample.name === name && hasLabels(sample, labels)).reduce((sum, { value }) => sum + value, 0);
}

/** The value of `label` in the series of 0/1 gauges that stands at 1 or more; null when none does. */
export function markedIn(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>>, label: string): string | null {
  return samples.find((sample) => sample.name === name && sample.value >= 1 && hasLabels(sample, labels))?.labels[label] ?? null;
}

function hasLabels(sample: Sample, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => sample.labels[name] === value);
}
