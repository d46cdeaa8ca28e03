import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Directive } from '../../../control-plane/contract/directive.ts';
import { buildMain, type Running, startMain } from '../fleet/built.ts';
import { policyDraft, reportOf } from '../fleet/stage.ts';
import { temporaryFolder } from './temporary-folder.ts';

const KILLS = 50;
const FEATURES = ['a', 'b', 'c'];

let main: string;
beforeAll(() => {
  main = buildMain();
});

interface Audit {
  readonly items: readonly { readonly sequence: number; readonly revision: number; readonly action: string; readonly feature?: string }[];
}

/** Writes and reports without pause until the process is gone; counts what was confirmed. */
class Load {
  /** Last confirmed share of each feature that is held by a person; each write asks for one more. */
  readonly confirmed = new Map<string, number>();
  private sequence = 0;

  async run(running: Running): Promise<void> {
    await Promise.all([...FEATURES.map((feature) => this.write(running, feature)), this.report(running)]);
  }

  private async write(running: Running, feature: string): Promise<void> {
    for (;;) {
      const admit = (this.confirmed.get(feature) ?? 0) + 1;
      const answer = await this.hold(running, feature, admit);
      if (!answer) return;
      expect(answer.status).toBe(200);
      this.confirmed.set(feature, admit);
    }
  }

  /** Replaces the override, whatever it is now, or sets the first one. */
  private async hold(running: Running, feature: string, admit: number): Promise<Response | null> {
    const url = `/v1/services/shop/features/${feature}/override`;
    const body = { kind: 'HOLD', admit, reason: 'load' };
    const answer = await send(running, 'PUT', url, body, { 'if-match': '*' });
    return answer?.status === 412 ? send(running, 'PUT', url, body) : answer;
  }

  /** Failures of an upstream that is down, so that a recovery goes on all the time. */
  private async report(running: Running): Promise<void> {
    for (;;) {
      const read = await send(running, 'GET', '/v1/services/shop/directive');
      if (!read) return;
      const { flags } = (await read.json()) as Directive;
      const step = flags.find(({ feature }) => feature === 'd')!.step;
      const failed = 20 * ++this.sequence;
      const seen = { feature: 'd', step, phase: 'OPEN' as const, admitted: failed, failed, refused: failed };
      if (!(await send(running, 'POST', '/v1/services/shop/reports', reportOf({ sequence: this.sequence, intervalMs: 100 }, [seen]))))
        return;
    }
  }
}

async function send(
  running: Running,
  method: string,
  path: string,
  body?: unknown,
  conditions: Record<string, string> = {},
): Promise<Response | null> {
  const headers = { ...conditions, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  return fetch(running.base + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) }).catch(() => null);
}

async function read<T>(running: Running, path: string): Promise<T> {
  return (await (await send(running, 'GET', path))!.json()) as T;
}

async function recoveryOf(running: Running): Promise<string | null> {
  return (await read<{ recovering: string | null }>(running, '/v1/services/shop')).recovering;
}

test(`killed ${KILLS} times under load: nothing confirmed is lost, nothing is half-written, one recovery goes on`, async () => {
  const environment = { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data'), REKINDLE_LOG_LEVEL: 'info' };
  let running = await startMain(main, environment);
  await send(running, 'PUT', '/v1/policies/shop', policyDraft('shop', ...FEATURES, { name: 'd', health: { minimumRequests: 5 } }));
  const load = new Load();
  const recoveries = new Set<string | null>();
  for (let kill = 0; kill < KILLS; kill++) {
    const before = new Map(load.confirmed);
    const loaded = load.run(running);
    const enough = 1 + (kill % 7);
    await expect
      .poll(() => (load.confirmed.get('a') ?? 0) - (before.get('a') ?? 0), { interval: 1, timeout: 10_000 })
      .toBeGreaterThan(enough);
    if (kill === 0) await expect.poll(() => recoveryOf(running), { timeout: 20_000 }).not.toBeNull();
    await running.end('SIGKILL');
    await loaded;
    running = await startMain(main, environment);

    const { flags, revision } = await read<Directive>(running, '/v1/services/shop/directive');
    for (const feature of FEATURES) {
      const { admit } = flags.find((flag) => flag.feature === feature)!;
      const confirmed = load.confirmed.get(feature) ?? 0;
      // The one that was on its way when the process died may have been written.
      expect(admit - confirmed, feature).toBeOneOf([0, 1]);
      load.confirmed.set(feature, admit);
    }
    const { items } = await read<Audit>(running, '/v1/services/shop/audit?limit=200');
    expect(items[0]!.revision).toBe(revision);
    expect(items.map(({ sequence }) => sequence)).toEqual(items.map((_, index) => items[0]!.sequence - index));
    recoveries.add(await recoveryOf(running));
  }
  expect([...recoveries]).toEqual([expect.any(String)]);
}, 120_000);
