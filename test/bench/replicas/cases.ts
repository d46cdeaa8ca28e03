import { setTimeout as sleep } from 'node:timers/promises';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { mib, ms, quantile, whole } from '../control-plane/figures.ts';
import { namesOf, policyOf } from '../control-plane/policies.ts';
import { ReportingProxy, reportFor } from '../control-plane/reporting-proxy.ts';
import { type Fleet, type Rates, ratesOf, startFleet } from './fleet.ts';
import { Population } from './population.ts';

export interface Size {
  /** Proxies at which costs are measured, in this order on one fleet. */
  readonly populations: readonly number[];
  readonly changes: number;
  readonly seconds: number;
}

const SERVICE = 'shop';
const FEATURES = 20;

/** A row of the table: what so many proxies cost, and how soon a change is with them. */
export interface GrowthRow {
  readonly proxies: number;
  readonly rates: Rates;
  readonly memory: number;
  readonly redisMemory: number;
  /** null: nobody watches. */
  readonly change: { readonly p50: number; readonly p99: number; readonly last: number; readonly rates: Rates } | null;
}

export async function growth({ populations, changes, seconds }: Size): Promise<GrowthRow[]> {
  return withFleet(async (fleet) => {
    await putPolicy(fleet.replicas[0].port, policyOf(SERVICE, FEATURES));
    const population = new Population(fleet, SERVICE);
    const rows: GrowthRow[] = [];
    for (const proxies of populations) {
      if (proxies > population.watchers) await population.grow(proxies - population.watchers);
      const rates = await over(fleet, seconds);
      const before = await fleet.read();
      const times: number[][] = [];
      if (proxies > 0) for (let round = 0; round < changes; round++) times.push(await population.change(round));
      const during = ratesOf(before, await fleet.read());
      const all = times.flat();
      const lasts = times.map((each) => Math.max(...each));
      const change = proxies === 0 ? null : { p50: quantile(all, 0.5), p99: quantile(all, 0.99), last: Math.max(...lasts), rates: during };
      const memory = fleet.replicas.reduce((sum, replica) => sum + replica.rss(), 0);
      rows.push({ proxies, rates, memory, redisMemory: await fleet.redisMemory(), change });
      console.log(lineOf(rows.at(-1)!));
    }
    console.log(`most frequent commands: ${[...(await fleet.commandCalls())].slice(0, 6).map(([name, calls]) => `${name} ${calls}`)}`);
    await population.end();
    return rows;
  });
}

export interface ReportFigures {
  readonly perSecond: number;
  readonly p99: number;
  readonly rates: Rates;
}

/** 100 proxies that report as fast as they are answered, half of them at each replica. */
export async function reports({ seconds }: Size): Promise<ReportFigures> {
  return withFleet(async (fleet) => {
    await putPolicy(fleet.replicas[0].port, policyOf(SERVICE, FEATURES));
    await sleep(2000); // the other replica hears of it
    const features = namesOf(FEATURES);
    const proxies = Array.from({ length: 100 }, (_, n) => {
      const { port } = fleet.replicas[n % 2]!;
      return new ReportingProxy({ port, service: SERVICE, node: `node-${n}`, features, requestsPerReport: 10 });
    });
    await reportFor(proxies, 2000); // warm-up
    const before = await fleet.read();
    const times = await reportFor(proxies, seconds * 1000);
    const after = await fleet.read();
    for (const proxy of proxies) proxy.end();
    return { perSecond: (1000 * times.length) / (after.atMs - before.atMs), p99: quantile(times, 0.99), rates: ratesOf(before, after) };
  });
}

async function over(fleet: Fleet, seconds: number): Promise<Rates> {
  const before = await fleet.read();
  await sleep(1000 * seconds);
  return ratesOf(before, await fleet.read());
}

async function withFleet<T>(use: (fleet: Fleet) => Promise<T>): Promise<T> {
  const fleet = await startFleet();
  try {
    return await use(fleet);
  } finally {
    await fleet.stop();
  }
}

export const HEAD = [
  'proxies',
  'change → watchers: p50, p99, last',
  'Valkey: commands/s',
  'in, out KiB/s',
  'CPU',
  'memory',
  'both replicas: CPU',
  'memory',
];

export function lineOf({ proxies, rates, memory, redisMemory, change }: GrowthRow): string {
  const cells = [
    whole(proxies),
    change === null ? '' : [change.p50, change.p99, change.last].map(ms).join(', '),
    ...costOf(rates),
    mib(redisMemory),
    percent(rates.replicasCpu),
    mib(memory),
  ];
  return `| ${cells.join(' | ')} |`;
}

export function costOf({ commands, bytesIn, bytesOut, redisCpu }: Rates): string[] {
  return [whole(commands), [bytesIn, bytesOut].map((bytes) => whole(bytes / 1024)).join(', '), percent(redisCpu)];
}

export const percent = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} %`;
