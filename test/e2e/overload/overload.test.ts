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

/** A stall of this machine hits clients, Envoy and upstreams alike and can only worsen the outcome, so a run that fails is done again. */
const ATTEMPTS = 3;

test('retries keep an overloaded upstream down; with Rekindle it comes back within seconds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const policy = await overloadPolicy();
  const plans = [bareEnvoy, rekindleVariant(policy, false), rekindleVariant(policy, true)];
  let failed: unknown[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const at = join(folder, String(attempt));
    const results = await runOverload({ plans, spans, folder: at, end: new AbortController().signal, say: console.log });
    console.log(formatOverload(results));
    const checks = judgeOverload(results, allClients);
    expect(checks).toHaveLength(8);
    failed = checks.filter(({ passed }) => !passed);
    if (failed.length > 0) continue;
    expect(results.map(({ wasGoverned }) => wasGoverned)).toEqual([false, false, true]);
    break;
  }
  expect(failed).toEqual([]);
  await rm(folder, { recursive: true });
});
