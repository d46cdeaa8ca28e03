import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts } from '../../../envoy/demo/ports.ts';
import { runOutage } from '../../../envoy/demo/scenario-outage.ts';

test('an outage takes its course: trip, degraded answers, fleet-wide opening, probes, ramp, return in order', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const checks = await runOutage({ ports: await freePorts(), folder, end: new AbortController().signal, say: console.log });
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(checks.length).toBeGreaterThan(10);
  await rm(folder, { recursive: true });
});
