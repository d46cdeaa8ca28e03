import { setTimeout as sleep } from 'node:timers/promises';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { Crowd, changeFlag } from './crowd.ts';
import { type Figure, mib, ms, quantile, whole } from './figures.ts';
import { namesOf, policyOf } from './policies.ts';
import { ReportingProxy, reportFor } from './reporting-proxy.ts';
import { type Server, startServer } from './server.ts';

export interface Size {
  readonly watchers: number;
  readonly changes: number;
  readonly reportSeconds: number;
  readonly tickSeconds: number;
  /** Polls that the server may hold in the storm; six times as many filters come. */
  readonly stormCapacity: number;
}

const SERVICE = 'shop';
const FEATURES_WITH_TRAFFIC = 20;

/** Memory per waiting watcher, and how long a change takes to reach all of them. */
export async function waiting({ watchers }: Size): Promise<Figure[]> {
  return withServer({}, async (server) => {
    await putPolicy(server.port, policyOf(SERVICE, FEATURES_WITH_TRAFFIC));
    const crowd = new Crowd(server.port, SERVICE);
    await crowd.gather(200); // what the first ones cost is no matter of their number
    await sleep(1000);
    const before = server.rss();
    await crowd.gather(watchers);
    await sleep(2000);
    const each = (server.rss() - before) / watchers;
    const { times, cpuMs } = await changes(server, crowd, 5);
    await crowd.end();
    return [
      {
        what: `memory of a waiting watcher, ${whole(watchers)} of them`,
        result: `${(each / 1024).toFixed(1)} KiB`,
        bar: '≤ 40 KiB',
        isMet: each <= 40 * 1024,
      },
      {
        what: `a change reaches the last of ${whole(crowd.filters.length)} watchers`,
        result: `${ms(quantile(times, 0.5))}, ${ms(cpuMs)} CPU`,
        bar: '',
        isMet: null,
      },
    ];
  });
}

/** A change → the last of 1,000 filters has it. */
export async function pushes(size: Size, features: number): Promise<Figure[]> {
  return withServer({}, async (server) => {
    await putPolicy(server.port, policyOf(SERVICE, features));
    const crowd = new Crowd(server.port, SERVICE);
    await crowd.gather(1000);
    await changes(server, crowd, 10); // warm-up
    const { times, cpuMs } = await changes(server, crowd, size.changes);
    await crowd.end();
    const p99 = quantile(times, 0.99);
    const isTheBar = features === FEATURES_WITH_TRAFFIC;
    return [
      {
        what: `a change reaches the last of 1,000 filters, ${features} features, ${size.changes} changes`,
        result: `p50 ${ms(quantile(times, 0.5))}, p99 ${ms(p99)}, ${ms(cpuMs)} CPU each`,
        bar: isTheBar ? 'p99 ≤ 200 ms' : '',
        isMet: isTheBar ? p99 <= 200 : null,
      },
    ];
  });
}

async function changes(server: Server, crowd: Crowd, count: number): Promise<{ times: number[]; cpuMs: number }> {
  const times: number[] = [];
  const cpuFrom = server.cpuMs();
  for (let round = 0; round < count; round++) {
    await crowd.allWait();
    const revision = Math.max(...crowd.filters.map((filter) => filter.revision)) + 1;
    const lastAt = crowd.lastHas(revision);
    const fromMs = await changeFlag(server.port, SERVICE, round);
    times.push((await lastAt) - fromMs);
  }
  await crowd.allWait();
  return { times, cpuMs: (server.cpuMs() - cpuFrom) / count };
}

/** 100 proxies that report as fast as they are answered. */
export async function reports({ reportSeconds }: Size): Promise<Figure[]> {
  return withServer({}, async (server) => {
    await putPolicy(server.port, policyOf(SERVICE, 512));
    const features = namesOf(512)
      .filter((_, index) => index % 25 === 0)
      .slice(0, FEATURES_WITH_TRAFFIC);
    const proxies = Array.from({ length: 100 }, (_, index) => {
      return new ReportingProxy({ port: server.port, service: SERVICE, node: `node-${index}`, features, requestsPerReport: 10 });
    });
    await reportFor(proxies, 2000); // warm-up
    const cpuFrom = server.cpuMs();
    const fromMs = performance.now();
    const times = await reportFor(proxies, reportSeconds * 1000);
    const seconds = (performance.now() - fromMs) / 1000;
    const cpuSeconds = (server.cpuMs() - cpuFrom) / 1000;
    for (const proxy of proxies) proxy.end();
    const rate = times.length / seconds;
    const result = `${whole(rate)} (p99 ${ms(quantile(times, 0.99))}); ${whole(times.length / cpuSeconds)} per second of CPU`;
    return [{ what: 'reports a second, 100 proxies, 20 of 512 features changed', result, bar: '≥ 5,000', isMet: rate >= 5000 }];
  });
}

/** 100 services of 512 features; each has ten proxies that report once a second, 20 features with traffic. */
export async function ticks({ tickSeconds }: Size): Promise<Figure[]> {
  return withServer({}, async (server) => {
    const services = Array.from({ length: 100 }, (_, index) => `service-${index}`);
    for (const service of services) await putPolicy(server.port, policyOf(service, 512));
    const features = namesOf(FEATURES_WITH_TRAFFIC);
    const proxies = services.flatMap((service) =>
      Array.from(
        { length: 10 },
        (_, node) => new ReportingProxy({ port: server.port, service, node: `node-${node}`, features, requestsPerReport: 10 }),
      ),
    );
    const isOver = { value: false };
    const reporting = proxies.map((proxy, index) => everySecond(proxy, index % 1000, isOver));
    await sleep(5000); // the first reports and their commits
    const before = await tickTotals(server);
    const cpuFrom = server.cpuMs();
    await sleep(tickSeconds * 1000);
    const after = await tickTotals(server);
    const cpuPercent = (server.cpuMs() - cpuFrom) / (10 * tickSeconds);
    isOver.value = true;
    await Promise.all(reporting);
    for (const proxy of proxies) proxy.end();
    const count = after.count - before.count;
    const mean = (1000 * (after.sum - before.sum)) / count;
    const late = count - (after.within50 - before.within50);
    const result = `mean ${ms(mean)}, ${late} of ${count} above 50 ms; ${cpuPercent.toFixed(0)} % of a core, reports included`;
    return [
      {
        what: 'one tick, 100 services × 512 features, 1,000 proxies, 20 features each with traffic',
        result,
        bar: '≤ 50 ms',
        isMet: mean <= 50,
      },
    ];
  });
}

async function everySecond(proxy: ReportingProxy, offsetMs: number, isOver: { readonly value: boolean }): Promise<void> {
  await sleep(offsetMs);
  while (!isOver.value) {
    await proxy.report(1000);
    await sleep(1000);
  }
}

async function tickTotals(server: Server): Promise<{ count: number; sum: number; within50: number }> {
  return {
    count: await server.metric('rekindle_tick_seconds_count'),
    sum: await server.metric('rekindle_tick_seconds_sum'),
    within50: await server.metric('rekindle_tick_seconds_bucket{le="0.05"}'),
  };
}

/** Six times as many filters as the server holds come in one moment; a change in the middle must reach them all. */
export async function storm({ stormCapacity }: Size): Promise<Figure[]> {
  return withServer({ REKINDLE_MAX_WATCHERS: String(stormCapacity) }, async (server) => {
    await putPolicy(server.port, policyOf(SERVICE, FEATURES_WITH_TRAFFIC));
    const crowd = new Crowd(server.port, SERVICE);
    await crowd.gather(stormCapacity);
    await sleep(1000);
    const before = server.rss();
    for (const filter of crowd.filters) filter.lose();
    const fromMs = performance.now();
    crowd.storm(5 * stormCapacity);
    const servedMs = (await crowd.lastHas(1)) - fromMs;
    const changedAtMs = await changeFlag(server.port, SERVICE, 0);
    const changeMs = (await crowd.lastHas(2)) - changedAtMs;
    await sleep(5000);
    const during = server.rss();
    const refusals = crowd.filters.reduce((total, filter) => total + filter.refusals, 0);
    await crowd.end();
    const connections = crowd.filters.length;
    const each = (during - before) / (connections - stormCapacity);
    const isMet = servedMs <= 60_000 && changeMs <= 60_000 && each <= 40 * 1024;
    return [
      {
        what: `storm: ${whole(connections)} filters at once on a process that holds ${whole(stormCapacity)}`,
        result: `all served in ${(servedMs / 1000).toFixed(1)} s, a change then in ${(changeMs / 1000).toFixed(1)} s; ${whole(refusals)} turned away meanwhile`,
        bar: '≤ 60 s',
        isMet,
      },
      {
        what: 'memory in the storm',
        result: `${mib(before)} → ${mib(during)}: ${(each / 1024).toFixed(1)} KiB per open connection`,
        bar: '≤ 40 KiB',
        isMet: each <= 40 * 1024,
      },
    ];
  });
}

async function withServer<T>(environment: Readonly<Record<string, string>>, use: (server: Server) => Promise<T>): Promise<T> {
  const server = await startServer(environment);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}
