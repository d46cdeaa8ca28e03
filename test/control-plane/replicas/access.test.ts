import { expect, test } from 'vitest';
import { openClient, startServer } from '../store/redis/server.ts';
import { type Replica, replicaAt } from './stage.ts';

const create = async ({ app }: Replica, payload: object, secret?: string) => {
  const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  return (await app.inject({ method: 'POST', url: '/v1/tokens', payload, headers })).json<{ id: string; token: string }>();
};

test('a token created or revoked at one replica counts at the others within a second, and ends what it had opened there', async () => {
  const url = new URL((await startServer()).url);
  const a = await replicaAt(url);
  const b = await replicaAt(url);
  const admin = await create(a, { name: 'admin', scope: 'admin' });
  await expect.poll(() => b.access.isOpen, { timeout: 1000 }).toBe(false);
  const reader = await create(b, { name: 'reader', scope: 'read' }, admin.token);
  await expect.poll(() => a.access.list().length, { timeout: 1000 }).toBe(2);
  const base = await b.app.listen({ port: 0, host: '127.0.0.1' });
  const stream = await fetch(`${base}/v1/events`, { headers: { authorization: `Bearer ${reader.token}` } });
  expect(stream.status).toBe(200);
  const ended = stream.text().then(
    () => 'ended',
    () => 'ended',
  );
  const revokedAtMs = performance.now();
  await a.app.inject({ method: 'DELETE', url: `/v1/tokens/${reader.id}`, headers: { authorization: `Bearer ${admin.token}` } });
  expect(await ended).toBe('ended');
  expect(performance.now() - revokedAtMs).toBeLessThan(1000);
  const refused = await fetch(`${base}/v1/services`, { headers: { authorization: `Bearer ${reader.token}` } });
  expect(refused.status).toBe(401);
});

test('an emptied store lets nobody in without a token, whoever asks when', async () => {
  const url = new URL((await startServer()).url);
  const a = await replicaAt(url);
  const admin = await create(a, { name: 'admin', scope: 'admin' });
  await openClient(url).flushdb();
  const headers = { authorization: `Bearer ${admin.token}` };
  const asked = await a.app.inject({ method: 'POST', url: '/v1/tokens', payload: { name: 'late', scope: 'admin' }, headers });
  expect(asked.statusCode).toBe(503);
  expect((await a.app.inject({ url: '/v1/tokens' })).statusCode).toBe(401);
  await expect.poll(async () => (await openClient(url).hlen('rekindle:{fleet}:tokens')) === 1, { timeout: 3000 }).toBe(true);
  expect((await a.app.inject({ url: '/v1/tokens', headers })).statusCode).toBe(200);
});
