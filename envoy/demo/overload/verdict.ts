import type { Check } from '../outage-checks.ts';
import { GOOD_WITHIN_MS } from './figures.ts';
import { OFFERED, type VariantResult } from './scenario.ts';
import { bareEnvoy } from './variants.ts';

/** What Rekindle must keep: clients without a good answer in percent of all, and full fresh service after the trigger. */
const BARS = { lostPercent: 1, recoveredAfterMs: 6000 } as const;
/** What was sent a little apart may arrive a little closer; what clients send is not made more by that. */
const BUNCHING = 1.05;
/** Load that comes in bursts is another overload than the one to be shown: this machine was too busy to send it evenly. */
const UNSTEADY = 1.25;

/** Holds the results against the bars. `allClients`: of the whole course, when it was cut short; the share of lost ones refers to them. */
export function judgeOverload(results: readonly VariantResult[], allClients: number | null = null): Check[] {
  const bare = results.filter(({ name }) => name === bareEnvoy.name);
  return [
    judgeLoad(results),
    ...bare.map(judgeBare),
    ...results.filter(({ isRekindle }) => isRekindle).flatMap((result) => judgeRekindle(result, allClients)),
  ];
}

/** Whether the load came as evenly as it should: without that the rest says nothing. */
function isSteady(results: readonly VariantResult[]): boolean {
  return mostOffered(results) <= OFFERED * UNSTEADY;
}

function mostOffered(results: readonly VariantResult[]): number {
  return Math.max(...results.map(({ figures }) => figures.offeredPerSecond));
}

function judgeLoad(results: readonly VariantResult[]): Check {
  const detail = `at most ${mostOffered(results)} requests in a second, meant were ${OFFERED}; more than a quarter above says that the machine was too busy`;
  return { name: 'the clients sent evenly', passed: isSteady(results), detail };
}

/** Without an outage that feeds itself there is nothing to show. */
function judgeBare({ name, figures }: VariantResult): Check {
  return {
    name: `${name} does not recover`,
    passed: figures.recoveredAfterMs === null,
    detail: `${seconds(figures.recoveredAfterMs)}; ${figures.arrivedPerSecond} arrivals in a second`,
  };
}

function judgeRekindle({ name, figures }: VariantResult, allClients: number | null): Check[] {
  const { lost, clients, recoveredAfterMs, arrivedPerSecond, offeredPerSecond } = figures;
  const lostPercent = (lost * 100) / (allClients ?? clients);
  return [
    {
      name: `${name}: clients without a good answer`,
      passed: lostPercent <= BARS.lostPercent,
      detail: `${lost} of ${allClients ?? clients}, ${lostPercent.toFixed(2)} % (at most ${BARS.lostPercent} %)`,
    },
    {
      name: `${name}: full fresh service after the trigger`,
      passed: recoveredAfterMs !== null && recoveredAfterMs <= BARS.recoveredAfterMs,
      detail: `${seconds(recoveredAfterMs)} (at most ${seconds(BARS.recoveredAfterMs)})`,
    },
    {
      name: `${name}: arrivals at the upstream`,
      passed: arrivedPerSecond <= offeredPerSecond * BUNCHING,
      detail: `at most ${arrivedPerSecond} in a second, of ${offeredPerSecond} offered`,
    },
  ];
}

const columns = ['variant', 'lost', 'degraded', 'fresh again', 'arrivals/s', 'offered/s', 'retries', 'probes', 'opened'] as const;
const widths = [24, 9, 9, 12, 11, 10, 8, 7, 6];

const legend = `lost: no answer, an error, or one after more than ${GOOD_WITHIN_MS} ms. fresh again: from the end of the trigger until clients get the upstream's
own answers in time, and do so to the end. arrivals/s, offered/s: most in any one second, at the upstream and from the clients.`;

/** All variants side by side. */
export function formatOverload(results: readonly VariantResult[]): string {
  return `${[columns, ...results.map(cells)].map(line).join('\n')}\n${legend}`;
}

function cells({ name, isRekindle, figures, opened }: VariantResult): string[] {
  const percent = (count: number): string => `${((count * 100) / figures.clients).toFixed(2)} %`;
  return [
    name,
    percent(figures.lost),
    percent(figures.degraded),
    seconds(figures.recoveredAfterMs),
    String(figures.arrivedPerSecond),
    String(figures.offeredPerSecond),
    String(figures.retries),
    isRekindle ? String(figures.probes) : '-',
    isRekindle ? String(opened) : '-',
  ];
}

function seconds(ms: number | null): string {
  return ms === null ? 'never' : `${(ms / 1000).toFixed(1)} s`;
}

function line(texts: readonly string[]): string {
  return texts
    .map((text, column) => text.padEnd(widths[column] ?? 0))
    .join(' ')
    .trimEnd();
}
