import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OFFERED, overloadPolicy, runOverload, type VariantResult } from '../../../envoy/demo/overload/scenario.ts';
import { bareEnvoy, rekindleVariant } from '../../../envoy/demo/overload/variants.ts';
import { formatOverload, isSteady, judgeOverload } from '../../../envoy/demo/overload/verdict.ts';

/** Ten seconds of health, since a younger proxy has no vote in opening a feature fleet-wide (R10). */
const spans = { healthyMs: 10_000, triggerMs: 5000, afterMs: 10_000 };
/** Of the whole course: fewer healthy seconds must not tighten the bar. */
const allClients = OFFERED * 58;

test('retries keep an overloaded upstream down; with Rekindle it comes back within seconds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const results = await overloadEvenly(folder);
  console.log(formatOverload(results));

  const checks = judgeOverload(results, allClients);
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(checks).toHaveLength(8);
  expect(results.map(({ wasGoverned }) => wasGoverned)).toEqual([false, false, true]);
  await rm(folder, { recursive: true });
});

/** A run whose load this machine could not send evenly was another experiment: it is done once more, whatever its outcome. */
async function overloadEvenly(folder: string): Promise<VariantResult[]> {
  const policy = await overloadPolicy();
  const plans = [bareEnvoy, rekindleVariant(policy, false), rekindleVariant(policy, true)];
  const run = (at: string) => runOverload({ plans, spans, folder: join(folder, at), end: new AbortController().signal, say: console.log });
  const results = await run('first');
  if (isSteady(results)) return results;
  console.log('the load came in bursts: once more');
  return run('second');
}
