import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ProxyView } from '../../../control-plane/contract/rest/proxies.ts';
import type { PluginJson } from '../../../envoy/demo/envoy-configuration.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { connect } from '../connection.ts';
import { catalogPolicy, withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';

const ADMIN = `admin-${'a'.repeat(40)}`;
const FILTER = `filter-${'f'.repeat(40)}`;
const WRONG = `filter-${'w'.repeat(40)}`;

/** A stage whose control plane asks for tokens, and whose filter sends this one. */
async function stageWith(token: string): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'tokens.yaml');
  writeFileSync(
    file,
    `tokens:\n  - { name: root, scope: admin, token: ${ADMIN} }\n  - { name: sidecars, scope: filter, service: shop, token: ${FILTER} }\n`,
  );
  const plugin = (configuration: PluginJson) => {
    const { controlPlane, ...rest } = withControlPlane(catalogPolicy({}))(configuration);
    return { ...rest, controlPlane: { ...(controlPlane as object), token } };
  };
  return openStage({ plugin, controlPlane: true, settings: { REKINDLE_TOKENS_FILE: file } });
}

const asAdmin = async ({ ports }: Stage, path: string, body?: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${ports.controlPlane}${path}`, {
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'PUT', body: JSON.stringify(body) }),
  });
const proxiesOf = async (stage: Stage): Promise<readonly ProxyView[]> =>
  ((await (await asAdmin(stage, '/v1/services/shop/proxies')).json()) as { items: ProxyView[] }).items;

test('with its token a filter gets the policy and reports', async () => {
  const stage = await stageWith(FILTER);
  expect((await asAdmin(stage, '/v1/policies/shop', catalogPolicy({ openMs: 7000 }))).status).toBe(201);
  await expect.poll(async () => (await proxiesOf(stage)).map(({ isCurrent }) => isCurrent), { timeout: 15_000 }).toEqual([true]);
});

test('with a wrong one it is refused, and serves on by its inline policy', async () => {
  const stage = await stageWith(WRONG);
  expect((await asAdmin(stage, '/v1/policies/shop', catalogPolicy({ openMs: 7000 }))).status).toBe(201);
  const admin = `http://127.0.0.1:${stage.ports.admin}/stats`;
  const refusals = async () => (await fetch(`${admin}?filter=cluster.rekindle-control-plane.upstream_rq_401`)).text();
  await expect.poll(async () => Number(/: (\d+)/.exec(await refusals())?.[1] ?? 0), { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
  const connection = await connect(stage);
  expect((await connection.ask('/catalog/items/1')).status).toBe(200);
  connection.close();
  expect(await proxiesOf(stage)).toEqual([]);
});
