import { overloadPolicy, runOverload } from './scenario.ts';
import { allVariants } from './variants.ts';
import { formatOverload, judgeOverload } from './verdict.ts';

const spans = { healthyMs: 10_000, triggerMs: 8000, afterMs: 40_000 };

export interface PlayOptions {
  /** Takes the logs, Envoy's configuration and the control plane's store. */
  readonly folder: string;
  readonly end: AbortSignal;
  readonly say: (text: string) => void;
}

/** Overloads all variants, prints what became of their clients and the checks. Gives the exit code. */
export async function playOverload({ folder, end, say }: PlayOptions): Promise<number> {
  const results = await runOverload({ plans: allVariants(await overloadPolicy()), spans, folder, end, say });
  say(`\n${formatOverload(results)}\n`);
  const checks = judgeOverload(results);
  for (const { name, passed, detail } of checks) say(`${passed ? 'ok  ' : 'FAIL'}  ${name}: ${detail}`);
  return checks.every(({ passed }) => passed) ? 0 : 1;
}
