import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
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
    { name: 'a folder below /proc', env: { REKINDLE_DATA_DIR: '/proc/rekindle/data' }, says: ['/proc/rekindle/data cannot be used'] },
    {
      name: 'a file of tokens that is not there',
      env: { REKINDLE_TOKENS_FILE: '/nonexistent' },
      says: ['REKINDLE_TOKENS_FILE /nonexistent: there is no such file'],
    },
    { name: 'a folder that cannot be made', env: { REKINDLE_DATA_DIR: '/dev/null/data' }, says: ['cannot be used', 'REKINDLE_DATA_DIR'] },
  ])('refuses $name', async ({ env, says }) => {
    const { child, output } = runMain(main, { REKINDLE_PORT: '0', REKINDLE_DATA_DIR: join(temporaryFolder(), 'data'), ...env });
    expect(await once(child, 'exit')).toEqual([1, null]);
    for (const words of says) expect(output()).toContain(words);
  });

  test('refuses what it does not know beside wrong settings, all at once', async () => {
    const { child, output } = runMain(main, { REKINDLE_PORT: '70000' }, '--port=80');
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(output()).toContain('unknown argument --port=80');
    expect(output()).toContain('REKINDLE_PORT must be');
  });

  test('refuses a port that is taken', async () => {
    const running = await startMain(main, { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') });
    const { child, output } = runMain(main, {
      REKINDLE_PORT: new URL(running.base).port,
      REKINDLE_DATA_DIR: join(temporaryFolder(), 'data'),
    });
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(output()).toMatch(/cannot listen on 127\.0\.0\.1 port \d+: .*EADDRINUSE/);
  });

  test('listens elsewhere than on loopback once the file has tokens, and tells none of their secrets', async () => {
    const folder = temporaryFolder();
    const secret = 'marked-secret-marked-secret-marked-secret';
    const file = join(folder, 'tokens.yaml');
    writeFileSync(file, `tokens:\n  - { name: root, scope: admin, token: ${secret} }\n`);
    const running = await startMain(main, {
      REKINDLE_HOST: '0.0.0.0',
      REKINDLE_DATA_DIR: join(folder, 'data'),
      REKINDLE_TOKENS_FILE: file,
    });
    const base = `http://127.0.0.1:${new URL(running.base).port}`;
    const status = async (authorization?: string) =>
      (await fetch(`${base}/v1/policies`, { headers: authorization ? { authorization } : {} })).status;
    expect([await status(), await status('Bearer wrong'), await status(`Bearer ${secret}`)]).toEqual([401, 401, 200]);
    expect(await running.end('SIGTERM')).toBe(0);
    expect(running.output()).not.toContain('marked-secret');
  });

  test('warns where no token of the file can manage tokens', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'tokens.yaml');
    writeFileSync(file, 'tokens:\n  - { name: viewer, scope: read, token: marked-secret-marked-secret-marked-secret }\n');
    const running = await startMain(main, { REKINDLE_DATA_DIR: join(folder, 'data'), REKINDLE_TOKENS_FILE: file });
    await expect.poll(running.output).toContain('no access token has scope admin');
    await running.end('SIGTERM');
  });

  test('with 1,000 polls, 200 streams of events and connections that never said a word it ends within five seconds, and says goodbye to all', async () => {
    const running = await startMain(main, { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') });
    await send(running, 'PUT', '/v1/policies/shop', policy);
    const { lineage, revision, hash } = await read<Directive>(running, '/v1/services/shop/directive');
    const port = Number(new URL(running.base).port);
    const answers: string[] = [];
    const open = (path: string | null): void => {
      const place = answers.push('') - 1;
      const socket = connect(port, '127.0.0.1', () => path && socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`));
      socket.on('data', (chunk) => {
        answers[place] += chunk.toString();
      });
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
    };
    for (let count = 0; count < 1000; count++)
      open(`/v1/services/shop/directive?lineage=${lineage}&revision=${revision}&hash=${hash}&wait=60`);
    for (let count = 0; count < 200; count++) open('/v1/events');
    for (let count = 0; count < 20; count++) open(null);
    const metrics = async () => (await send(running, 'GET', '/metrics')).text();
    await expect.poll(async () => (await metrics()).includes('rekindle_watchers 1000'), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => answers.filter((text) => text.includes('retry:')).length, { timeout: 20_000 }).toBe(200);
    const startedMs = performance.now();
    expect(await running.end('SIGTERM')).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    await expect.poll(() => answers.filter((text) => text.includes('503') || text.includes('goodbye')).length).toBe(1200);
  });

  test('a second SIGTERM ends it at once', async () => {
    const running = await startMain(main, { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') });
    // A body that never comes to its end keeps the first one waiting.
    const socket = connect(Number(new URL(running.base).port), '127.0.0.1', () =>
      socket.write(
        'POST /v1/policies/validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
      ),
    );
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    await expect.poll(async () => (await send(running, 'GET', '/livez')).status).toBe(200);
    const ended = once(running.child, 'exit');
    running.child.kill('SIGTERM');
    await expect.poll(() => running.output()).toContain('stopping');
    const startedMs = performance.now();
    running.child.kill('SIGTERM');
    await ended;
    expect(performance.now() - startedMs).toBeLessThan(1500);
  });

  test('--help lists the settings with their defaults', async () => {
    const { child, output } = runMain(main, {}, '--help');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(output()).toMatch(/REKINDLE_PORT .*default 7700/);
  });
});
