import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Directive } from '../../../control-plane/contract/directive.ts';
import type { ServiceView } from '../../../control-plane/contract/rest/services.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { buildMain, type Running, runMain, startMain } from './built.ts';
import { policyDraft, reportOf } from './stage.ts';

let main: string;
beforeAll(() => {
  main = buildMain();
});

const send = async (running: Running, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(running.base + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
  });
const read = async <T>(running: Running, path: string) => (await (await send(running, 'GET', path)).json()) as T;

const policy = policyDraft('shop', { name: 'catalog', health: { minimumRequests: 5 } });

/** Reports failures of an upstream that is down until the fleet has opened the feature. */
async function failUntilOpened(running: Running): Promise<ServiceView> {
  for (let sequence = 1; sequence <= 200; sequence++) {
    const { features } = await read<ServiceView>(running, '/v1/services/shop');
    const { step, state } = features[0]!;
    if (state === 'DISABLED') return read<ServiceView>(running, '/v1/services/shop');
    const failed = 20 * sequence;
    const report = reportOf({ sequence, intervalMs: 1000 }, [{ step, phase: 'OPEN', admitted: failed, failed, refused: failed }]);
    await send(running, 'POST', '/v1/services/shop/reports', report);
  }
  throw new Error('the feature was never opened');
}

describe('the process', () => {
  test('killed in mid-recovery and started again it continues that recovery, and again', async () => {
    const environment = { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') };
    let running = await startMain(main, environment);
    expect((await send(running, 'PUT', '/v1/policies/shop', policy)).status).toBe(201);
    const opened = await failUntilOpened(running);
    expect(opened.recovering).not.toBeNull();
    for (let kill = 0; kill < 3; kill++) {
      const before = await read<Directive>(running, '/v1/services/shop/directive');
      await running.end('SIGKILL');
      running = await startMain(main, environment);
      expect(await read<Directive>(running, '/v1/services/shop/directive')).toEqual(before);
      const after = await read<ServiceView>(running, '/v1/services/shop');
      expect(after.recovering).toBe(opened.recovering);
      expect(after.features[0]).toMatchObject({
        state: 'DISABLED',
        admit: 0,
        recovery: { outageStartedAtMs: opened.features[0]!.recovery!.outageStartedAtMs },
      });
      expect(after.knownProxies).toBe(1);
    }
    expect(await running.end('SIGTERM')).toBe(0);
  });

  test('killed while many write, it has every write that it had confirmed, and each of them once', async () => {
    const environment = { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') };
    const running = await startMain(main, environment);
    await send(running, 'PUT', '/v1/policies/shop', policyDraft('shop', 'a', 'b', 'c', 'd'));
    const confirmed = new Map<string, number>();
    const write = async (feature: string) => {
      for (let count = 1; ; count++) {
        const body = { kind: 'HOLD', admit: count, reason: `${feature}-${count}` };
        const seen: Record<string, string> = count === 1 ? {} : { 'if-match': '*' };
        const response = await send(running, 'PUT', `/v1/services/shop/features/${feature}/override`, body, seen);
        if (response.ok) confirmed.set(feature, count);
      }
    };
    const writers = ['a', 'b', 'c', 'd'].map((feature) => write(feature).catch(() => undefined));
    await expect.poll(() => confirmed.get('a') ?? 0, { timeout: 10_000, interval: 5 }).toBeGreaterThan(20);
    await running.end('SIGKILL');
    await Promise.all(writers);
    const after = await startMain(main, environment);
    const { flags, revision } = await read<Directive>(after, '/v1/services/shop/directive');
    for (const { feature, admit } of flags) {
      expect(admit).toBeGreaterThanOrEqual(confirmed.get(feature)!);
      expect(admit).toBeLessThanOrEqual(confirmed.get(feature)! + 1); // written, but the answer was lost
    }
    const total = flags.reduce((sum, { admit }) => sum + admit, 0);
    expect(revision).toBe(1 + total);
  });

  test('SIGTERM says goodbye to those who wait and ends with code 0 within five seconds', async () => {
    const running = await startMain(main, { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') });
    await send(running, 'PUT', '/v1/policies/shop', policy);
    const { lineage, revision, hash } = await read<Directive>(running, '/v1/services/shop/directive');
    const poll = send(running, 'GET', `/v1/services/shop/directive?lineage=${lineage}&revision=${revision}&hash=${hash}&wait=60`);
    await expect.poll(async () => (await (await send(running, 'GET', '/metrics')).text()).includes('rekindle_watchers 1')).toBe(true);
    const startedMs = Date.now();
    const ended = running.end('SIGTERM');
    expect((await poll).status).toBe(503);
    expect(await ended).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(5000);
  });

  test('a second process on the same folder refuses to start', async () => {
    const environment = { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') };
    const running = await startMain(main, environment);
    const { child, output } = runMain(main, { ...environment, REKINDLE_PORT: '0' });
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(output()).toContain(`in use by process ${running.child.pid}`);
  });

  test.for([
    {
      name: 'wrong settings, all at once',
      env: { REKINDLE_PORT: '70000', REKINDLE_TICK_MS: 'fast', REKINDLE_LOG_LEVEL: 'loud' },
      says: ['REKINDLE_PORT', 'REKINDLE_TICK_MS', 'REKINDLE_LOG_LEVEL'],
    },
    {
      name: 'an address that others reach',
      env: { REKINDLE_HOST: '0.0.0.0' },
      says: ['not a loopback address', 'REKINDLE_INSECURE_BIND=yes'],
    },
    { name: 'a folder that cannot be made', env: { REKINDLE_DATA_DIR: '/dev/null/data' }, says: ['cannot be used', 'REKINDLE_DATA_DIR'] },
  ])('refuses $name', async ({ env, says }) => {
    const { child, output } = runMain(main, { REKINDLE_PORT: '0', REKINDLE_DATA_DIR: join(temporaryFolder(), 'data'), ...env });
    expect(await once(child, 'exit')).toEqual([1, null]);
    for (const words of says) expect(output()).toContain(words);
  });

  test('--help lists the settings with their defaults', async () => {
    const { child, output } = runMain(main, {}, '--help');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(output()).toMatch(/REKINDLE_PORT .*default 7700/);
  });
});
