import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../scripts/project-root.ts';
import { putPolicy } from './control-plane-process.ts';
import { type Answer, type Load, startLoad } from './load.ts';
import type { StagePorts } from './ports.ts';
import { valueIn } from './prometheus.ts';
import { type Stage, startStage } from './stage.ts';
import { firstOf, waitFor } from './wait.ts';

export interface DemoOptions {
  readonly ports: StagePorts;
  /** The Redis or Valkey that the replicas of the control plane share; without it one control plane has the embedded store. */
  readonly redisUrl?: string | undefined;
  readonly replicas?: 1 | 2 | undefined;
  readonly folder: string;
  /** Aborts when the demo shall end early. */
  readonly end: AbortSignal;
  readonly say: (text: string) => void;
}

/** The stage with the shop's policy in force and load on it. */
export interface Demo {
  readonly stage: Stage;
  /** Aborts on the `end` of the options, and when a server died. */
  readonly end: AbortSignal;
  /** What is known of a server that died; null: none did. */
  death(): string | null;
  /** Resolves when the last answer is there. */
  stopLoad(): Promise<void>;
  close(): Promise<void>;
}

/** Requests per second: enough to judge by, little for a small machine. */
export const rates = { catalog: 30, checkout: 15, recommendations: 20 } as const;

/** Starts everything, waits until the filter holds the policy from the control plane, then starts the load. */
export async function openDemo(
  { ports, redisUrl, replicas, folder, end, say }: DemoOptions,
  onAnswer: (answer: Answer) => void,
): Promise<Demo> {
  const died = new AbortController();
  let death: string | null = null;
  const onDeath = (report: string): void => {
    death = report;
    say(report);
    died.abort();
  };
  const stage = await startStage({ ports, folder, controlPlane: true, redisUrl, replicas, onDeath });
  let load: Load | null = null;
  const stopLoad = async (): Promise<void> => {
    await load?.stop();
    load = null;
  };
  const close = async (): Promise<void> => {
    await stopLoad();
    await stage.stop();
  };
  try {
    const revision = await putPolicy(ports.controlPlane, await shopPolicy());
    await waitFor('the filter to hold the policy', async () => heldRevision(stage, revision), 10_000);
    load = startLoad({ port: ports.listener, rates, onAnswer });
  } catch (error) {
    await close();
    throw error;
  }
  return { stage, end: firstOf(end, died.signal), death: () => death, stopLoad, close };
}

/** The demo shop's policy, from policy.yaml. */
export async function shopPolicy(): Promise<{ readonly service: string; readonly features: readonly { readonly name: string }[] }> {
  return parse(await readFile(join(projectRoot, 'envoy/demo/policy.yaml'), 'utf8')) as Awaited<ReturnType<typeof shopPolicy>>;
}

async function heldRevision(stage: Stage, atLeast: number): Promise<number | null> {
  const held = valueIn(await stage.envoy.metrics(), 'rekindle_directive_revision', { service: 'shop' });
  return held !== null && held >= atLeast ? held : null;
}
