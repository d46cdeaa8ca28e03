import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy } from '../../../scripts/servers.ts';
import type { Child } from '../child.ts';
import { putPolicy, startControlPlane } from '../control-plane-process.ts';
import { deriveListeners, loopbackCluster } from '../envoy-listeners.ts';
import { type EnvoyProcess, envoyReady, startEnvoy } from '../envoy-process.ts';
import { type Answer, type Load, startLoad } from '../load.ts';
import { freePort } from '../ports.ts';
import { sumIn, valueIn } from '../prometheus.ts';
import { nap, waitFor } from '../wait.ts';
import { type Figures, figuresOf, type Turns } from './figures.ts';
import { type QueueingUpstream, startQueueingUpstream } from './upstream.ts';
import { placeVariant, type Variant, type VariantPlan } from './variants.ts';

const UPSTREAM = { slots: 20, serviceMs: 100, slowServiceMs: 1000 } as const;
/** Requests per second to each variant: three quarters of what its upstream can do in health. */
export const OFFERED = 150;

/** How long each part lasts, in ms. */
export interface Spans {
  readonly healthyMs: number;
  readonly triggerMs: number;
  readonly afterMs: number;
}

export interface OverloadOptions {
  readonly plans: readonly VariantPlan[];
  readonly spans: Spans;
  /** Takes the configuration, the logs and the control plane's store. */
  readonly folder: string;
  readonly end: AbortSignal;
  readonly say: (text: string) => void;
}

export interface VariantResult {
  readonly name: string;
  readonly isRekindle: boolean;
  readonly figures: Figures;
  /** Times that the breaker opened, and (with a control plane) whether the fleet took the recovery over. */
  readonly opened: number;
  readonly wasGoverned: boolean;
}

/** A variant with its upstream and its clients. */
interface Trial {
  readonly variant: Variant;
  readonly upstream: QueueingUpstream;
  readonly answers: Answer[];
}

/** The policy of Rekindle here. */
export async function overloadPolicy(): Promise<{ readonly service: string }> {
  return parse(await readFile(join(projectRoot, 'envoy/demo/overload/policy.yaml'), 'utf8')) as { readonly service: string };
}

/** Overloads all variants at the same time, each on its own upstream, behind one Envoy. */
export async function runOverload(options: OverloadOptions): Promise<VariantResult[]> {
  const endings: (() => Promise<void>)[] = [];
  try {
    return await overload(options, endings);
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

async function overload({ plans, spans, folder, end, say }: OverloadOptions, endings: (() => Promise<void>)[]): Promise<VariantResult[]> {
  await mkdir(folder, { recursive: true });
  const trials: Trial[] = [];
  for (const [index, plan] of plans.entries()) {
    const variant = await placeVariant(plan, index, await freePort(), await freePort());
    const upstream = await startQueueingUpstream(variant.upstreamPort, UPSTREAM.slots, UPSTREAM.serviceMs);
    endings.push(() => upstream.close());
    trials.push({ variant, upstream, answers: [] });
  }
  const envoy = await startServers(trials, folder, endings);
  const loads = trials.map(({ variant, answers }) => startClients(variant.listenerPort, answers));
  endings.push(() => stopAll(loads));

  const turns = await takeCourse(trials, spans, end, say);
  await stopAll(loads);
  const samples = await envoy.metrics();
  const traps = await envoy.traps();
  if (traps.length > 0) throw new Error(`the filter trapped:\n${traps.join('\n')}`);
  return trials.map(({ variant, upstream, answers }) => {
    const service = { service: variant.service ?? '' };
    return {
      name: variant.name,
      isRekindle: variant.service !== null,
      figures: figuresOf({ answers, arrivals: upstream.arrivals, retries: upstream.retries(), turns }),
      opened: sumIn(samples, 'rekindle_transitions_total', { ...service, to: 'OPEN' }),
      wasGoverned: answers.some(({ reason }) => reason === 'disabled'),
    };
  });
}

async function startServers(trials: readonly Trial[], folder: string, endings: (() => Promise<void>)[]): Promise<EnvoyProcess> {
  const [binary, adminPort, controlPlanePort, policy] = await Promise.all([findEnvoy(), freePort(), freePort(), overloadPolicy()]);
  const usesControlPlane = trials.some(({ variant }) => variant.service === policy.service);
  let controlPlane: Child | null = null;
  if (usesControlPlane) {
    controlPlane = await startControlPlane(controlPlanePort, folder);
    endings.push(() => controlPlane?.stop() ?? Promise.resolve());
  }
  const clusters = [...trials.map(({ variant }) => variant.cluster), loopbackCluster('rekindle-control-plane', controlPlanePort)];
  const listeners = trials.map(({ variant }) => variant.listener);
  const configuration = await deriveListeners({ nodeId: 'shop-proxy-1', adminPort, listeners, clusters });
  const envoy = await startEnvoy({ binary: binary.path, folder, configuration, adminPort, workers: 2 });
  endings.push(() => envoy.stop());
  await envoyReady(envoy);
  if (usesControlPlane) {
    const revision = await putPolicy(controlPlanePort, policy);
    const holds = async (): Promise<true | null> =>
      (valueIn(await envoy.metrics(), 'rekindle_directive_revision', { service: policy.service }) ?? 0) >= revision ? true : null;
    await waitFor('the filter to hold the policy', holds, 10_000);
  }
  return envoy;
}

function startClients(port: number, answers: Answer[]): Load {
  const rates = { catalog: OFFERED, checkout: 0, recommendations: 0 };
  return startLoad({ port, rates, onAnswer: (answer) => answers.push(answer) });
}

async function stopAll(loads: readonly Load[]): Promise<void> {
  await Promise.all(loads.map((load) => load.stop()));
}

/** Healthy, then slow, then healthy again for the upstream alone to say whether it comes back. */
async function takeCourse(trials: readonly Trial[], spans: Spans, end: AbortSignal, say: (text: string) => void): Promise<Turns> {
  const startedAtMs = performance.now();
  const tell = (text: string): void => say(`${((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  const setAll = (serviceMs: number): number => {
    for (const { upstream } of trials) upstream.setServiceMs(serviceMs);
    return performance.now();
  };
  tell(`${trials.length} upstreams of ${UPSTREAM.slots} slots, ${UPSTREAM.serviceMs} ms a request, ${OFFERED} requests/s to each`);
  await wait(spans.healthyMs, end);
  const triggeredAtMs = setAll(UPSTREAM.slowServiceMs);
  tell(`each request now takes ${UPSTREAM.slowServiceMs} ms`);
  await wait(spans.triggerMs, end);
  const healedAtMs = setAll(UPSTREAM.serviceMs);
  tell(`the trigger is gone; requests that wait at the upstreams: ${trials.map(({ upstream }) => upstream.queued()).join(', ')}`);
  await wait(spans.afterMs, end);
  tell(`the end; requests that wait at the upstreams: ${trials.map(({ upstream }) => upstream.queued()).join(', ')}`);
  return { triggeredAtMs, healedAtMs, endedAtMs: performance.now() };
}

async function wait(ms: number, end: AbortSignal): Promise<void> {
  await nap(ms, end);
  if (end.aborted) throw new Error('ended early');
}
