import { statSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project-root.ts';
import {
  ADMISSION_CONTROL,
  BARE,
  type Contestant,
  EMPTY,
  LUA,
  PATH,
  REKINDLE,
  REKINDLE_512,
  REKINDLE_SHADOW,
  REKINDLE_STALE,
} from './contestants.ts';
import { atMost, type Section, times, us } from './figure.ts';
import { directResponse, type Effort, measure, planListener, proxied, startMeasured, startUpstream, type Target } from './side-by-side.ts';
import { cost, quantile } from './statistics.ts';

const direct = [BARE, EMPTY, LUA, ADMISSION_CONTROL, REKINDLE, REKINDLE_512, REKINDLE_SHADOW, REKINDLE_STALE];
const behind = [BARE, EMPTY, LUA, REKINDLE, REKINDLE_STALE];

/** What the filter adds to a request that goes well, beside what else could stand there; Envoy answers by itself. */
export async function happyPath(folder: string, effort: Effort): Promise<Section> {
  const costs = await race(folder, direct, directResponse(64), [], effort);
  const added = addedBy(costs);
  return {
    title: 'Happy path, answered by Envoy itself',
    text: [
      'CPU time of the whole Envoy process per request in us: lower quartile of the interleaved rounds (other work on the machine only ever adds),',
      'and in brackets the lowest and highest round. Two data-returning host calls, two clock reads and no allocation: `test/filter/stream/counting.test.ts`.',
    ].join('\n'),
    header: ['listener', 'per request', 'added to bare Envoy', 'of what Lua adds'],
    rows: rowsOf(costs, direct),
    figures: [
      atMost('added by Rekindle, of what Lua adds (goal ≤ 1)', added(REKINDLE) / added(LUA), 1.3, times),
      atMost('growth from 1 to 512 features', added(REKINDLE_512) / added(REKINDLE), 1.3, times),
      atMost('module size in KiB', statSync(join(projectRoot, 'build/rekindle.wasm')).size / 1024, 64, us),
    ],
  };
}

/** The same with an upstream behind, which shows the share of the whole. */
export async function proxiedPath(folder: string, effort: Effort): Promise<Section> {
  const upstream = await startUpstream(join(folder, 'upstream'));
  try {
    const costs = await race(join(folder, 'envoy'), behind, proxied, [upstream.cluster], effort);
    return {
      title: 'Happy path, proxied',
      text: 'As above, with an upstream on loopback. Any Wasm filter costs more here: bodies and trailers pass it too.',
      header: ['listener', 'per request', 'added to bare Envoy', 'of what Lua adds'],
      rows: rowsOf(costs, behind),
      figures: [],
    };
  } finally {
    await upstream.envoy.stop();
  }
}

async function race(
  folder: string,
  contestants: readonly Contestant[],
  target: Target,
  clusters: readonly object[],
  effort: Effort,
): Promise<Map<string, number[]>> {
  const plans = await Promise.all(contestants.map(async ({ name, filters }) => planListener(name, await filters(), target)));
  const envoy = await startMeasured(folder, plans, clusters);
  try {
    return await measure(envoy, plans, PATH, effort);
  } finally {
    await envoy.stop();
  }
}

/** What a contestant adds to bare Envoy. */
function addedBy(costs: ReadonlyMap<string, readonly number[]>): (contestant: Contestant) => number {
  const of = ({ name }: Contestant): number => cost(costs.get(name) ?? []);
  return (contestant) => of(contestant) - of(BARE);
}

function rowsOf(costs: ReadonlyMap<string, readonly number[]>, contestants: readonly Contestant[]): string[][] {
  const added = addedBy(costs);
  return contestants.map((contestant) => {
    const each = costs.get(contestant.name) ?? [];
    const whole = `${us(cost(each))} (${us(quantile(each, 0))} to ${us(quantile(each, 1))})`;
    if (contestant === BARE) return [contestant.name, whole, '', ''];
    return [contestant.name, whole, us(added(contestant)), times(added(contestant) / added(LUA))];
  });
}
