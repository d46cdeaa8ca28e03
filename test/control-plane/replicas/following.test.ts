import { describe, expect, test } from 'vitest';
import { policyDraft, putPolicy, reportOf } from '../fleet/stage.ts';
import { startServer } from '../store/redis/server.ts';
import { type Replica, replicaAt } from './stage.ts';

const read = async <T = Record<string, unknown>>({ app }: Pick<Replica, 'app'>, url: string) => (await app.inject(url)).json() as T;
const override = ({ app }: Pick<Replica, 'app'>, feature: string) =>
  app.inject({ method: 'PUT', url: `/v1/services/shop/features/${feature}/override`, payload: { kind: 'FORCED_OPEN', reason: 'test' } });

async function pair() {
  const server = await startServer();
  const url = new URL(server.url);
  return { server, a: await replicaAt(url), b: await replicaAt(url) };
}

describe('two replicas on one store', () => {
  test('what one writes, the other serves: policy, flags, tombstone, and the polls that wait there', async () => {
    const { a, b } = await pair();
    await putPolicy(a, policyDraft('shop', 'catalog'));
    await expect.poll(() => b.fleet.find('shop')?.stored.version).toBe(1);
    const here = await read<{ lineage: string; revision: number; hash: string }>(b, '/v1/services/shop/directive');
    expect(here).toEqual(await read(a, '/v1/services/shop/directive'));
    const query = `lineage=${here.lineage}&revision=${here.revision}&hash=${here.hash}&wait=10`;
    const waiting = read<{ revision: number }>(b, `/v1/services/shop/directive?${query}`);
    await expect.poll(() => b.fleet.watchers.count).toBe(1);
    expect((await override(a, 'catalog')).statusCode).toBe(200);
    expect((await waiting).revision).toBe(2);
  });
});
void reportOf;
