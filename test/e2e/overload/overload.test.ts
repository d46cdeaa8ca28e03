import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OFFERED, overloadPolicy, runOverload } from '../../../envoy/demo/overload/scenario.ts';
import { bareEnvoy, rekindleVariant } from '../../../envoy/demo/overload/variants.ts';
import { formatOverload, judgeOverload } from '../../../envoy/demo/overload/verdict.ts';

/** Ten seconds of health, since a younger proxy has no vote in opening a feature fleet-wide (R10). */
const spans = { healthyMs: 10_000, triggerMs: 5000, afterMs: 10_000 };
/** Of the whole course: fewer healthy seconds must not tighten the bar. */
const allClients = OFFERED * 58;

test('retries keep an overloaded upstream down; with Rekindle it comes back within seconds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const policy = await overloadPolicy();
  const plans = [bareEnvoy, rekindleVariant(policy, false), rekindleVariant(policy, true)];
  const results = await runOverload({ plans, spans, folder, end: new AbortController().signal, say: console.log });
  console.log(formatOverload(results));

  const checks = judgeOverload(results, allClients);
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(checks).toHaveLength(7);
  expect(results.map(({ wasGoverned }) => wasGoverned)).toEqual([false, false, true]);
  await rm(folder, { recursive: true });
});
