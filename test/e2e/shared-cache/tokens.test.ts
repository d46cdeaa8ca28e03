import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { startControlPlane } from '../../../envoy/demo/control-plane-process.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { openRedis } from '../stage.ts';

const tokens = { admin: `admin-${'a'.repeat(40)}`, shop: `shop-${'s'.repeat(40)}`, bank: `bank-${'b'.repeat(40)}` };
const key = '0123456789abcdef'.repeat(2);
const copy = Buffer.from('a page of the shop');

interface Asked {
  readonly as: keyof typeof tokens;
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Two replicas on one Valkey that ask for tokens. */
async function openReplicas(): Promise<readonly [number, number]> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-e2e-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'tokens.yaml');
  const lines = [
    `  - { name: root, scope: admin, token: ${tokens.admin} }`,
    `  - { name: shop-sidecars, scope: filter, service: shop, token: ${tokens.shop} }`,
    `  - { name: bank-sidecars, scope: filter, service: bank, token: ${tokens.bank} }`,
  ];
  writeFileSync(file, `tokens:\n${lines.join('\n')}\n`);
  const { url } = await openRedis();
  const ports = [await freePort(), await freePort()] as const;
  for (const port of ports) {
    const child = await startControlPlane(port, folder, { REDIS_URL: url, REKINDLE_TOKENS_FILE: file }, `control-plane-${port}`);
    onTestFinished(() => child.stop());
  }
  return ports;
}

const ask = (port: number, path: string, { as, body = '', headers, method = 'GET' }: Asked): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens[as]}`, ...headers },
    ...(method === 'GET' ? {} : { body: new Uint8Array(Buffer.from(body)) }),
  });

const put = (port: number, service: string, as: Asked['as']): Promise<Response> =>
  ask(port, `/services/${service}/cache/${key}`, {
    ...{ as, method: 'PUT', body: copy },
    headers: { 'content-type': 'application/octet-stream', 'rekindle-crc32': crc32(copy).toString(16).padStart(8, '0') },
  });

test("a filter's token reaches the copies of its own service only, at either replica", async () => {
  const [first, second] = await openReplicas();
  for (const service of ['shop', 'bank']) {
    const body = JSON.stringify({ service, features: [{ name: 'page', routes: [{ path: { prefix: '/' } }] }] });
    const headers = { 'content-type': 'application/json' };
    expect((await ask(first, `/policies/${service}`, { as: 'admin', method: 'PUT', body, headers })).status).toBe(201);
  }
  expect((await put(first, 'shop', 'shop')).status).toBe(204);
  const path = `/services/shop/cache/${key}`;
  const found = await waitFor(
    'the other replica to know the service',
    async () => {
      const answer = await ask(second, path, { as: 'shop' });
      return answer.status === 404 ? null : answer;
    },
    5000,
  );
  expect([found.status, await found.text()]).toEqual([200, copy.toString()]);

  for (const port of [first, second]) {
    const [read, write] = [await ask(port, path, { as: 'bank' }), await put(port, 'shop', 'bank')];
    expect([read.status, write.status]).toEqual([403, 403]);
    expect(await read.json()).toMatchObject({ code: 'REKINDLE_SCOPE_MISSING' });
    expect((await ask(port, `/services/bank/cache/${key}`, { as: 'bank' })).status, 'keys of services do not meet').toBe(404);
  }
});
