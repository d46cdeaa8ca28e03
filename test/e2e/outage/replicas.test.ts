import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../../envoy/demo/child.ts';
import { freePorts } from '../../../envoy/demo/ports.ts';
import { runOutage } from '../../../envoy/demo/scenario-outage.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { openRedis } from '../stage.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('the outage takes its course with two replicas on one Valkey, too', async () => {
  const { url } = await openRedis();
  const options = { ports: await freePorts(), folder: await temporaryFolder(), end: new AbortController().signal, say: console.log };
  const checks = await runOutage({ ...options, redisUrl: url, replicas: 2 });
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(checks.length).toBeGreaterThan(10);
});

test('REDIS_URL=… npm start runs two replicas, and says where they are', async () => {
  const { url } = await openRedis();
  const demo = await startChild({
    name: 'demo',
    command: process.execPath,
    args: [join(projectRoot, 'scripts/start.mjs'), '--duration', '5'],
    env: { REDIS_URL: url },
    logFile: join(await temporaryFolder(), 'demo.log'),
  });
  onTestFinished(() => demo.stop());
  const { code } = await demo.exited;
  const said = await readFile(demo.logFile, 'utf8');
  expect([code, said]).toEqual([0, expect.stringMatching(/second replica +http:\/\/127\.0\.0\.1:\d+\//)]);
  expect(said).toContain(`shared store             ${url}`);
  expect(said).toMatch(/governed by the fleet/);
});
