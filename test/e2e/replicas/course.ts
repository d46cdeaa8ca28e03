import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { type Beginning, holdsAfterwards, viewOf } from './afterwards.ts';
import { policy, SERVICE } from './policy.ts';
import { closeReplicas, openReplicas, type Replica, type ReplicaSettings, type ReplicaStage } from './stage.ts';

/** What a person sees who asks a replica for its readiness, or to change something. */
export interface Seen {
  readonly readiness: { readonly code: number; readonly status: string; readonly text: string };
  readonly write: { readonly code: number; readonly problem: string; readonly detail: string };
}

/** A row of the table: a fault in the middle of a recovery, and what is seen of it. */
export interface Fault {
  readonly name: string;
  inject(stage: ReplicaStage): Promise<void> | void;
  /** What must be seen while it lasts; may wait for it. */
  during?(stage: ReplicaStage): Promise<void>;
  /** Takes the fault away. */
  heal(stage: ReplicaStage): Promise<void> | void;
}

let open: ReplicaStage | null = null;

/** The stage of this file: the rows share it as long as all goes well. */
async function currentStage(settings: ReplicaSettings | undefined): Promise<ReplicaStage> {
  open ??= await openReplicas(settings);
  return open;
}

export async function closeStage(isFine: boolean): Promise<void> {
  const stage = open;
  open = null;
  if (stage) await closeReplicas(stage, isFine);
}

/** The upstream fails, the fleet opens and probes; then the fault comes and goes; then the upstream heals, and all must be well again. */
export async function takeCourse(fault: Fault, settings?: ReplicaSettings): Promise<void> {
  const stage = await currentStage(settings);
  onTestFinished(async ({ task }) => {
    if (task.result?.state !== 'pass') await closeStage(false);
  });
  const since: Beginning = { atMs: performance.now(), answers: stage.answers.length, sent: stage.recorder.sent.length };
  stage.upstream.isDown = true;
  await waitFor('the fleet to probe', async () => ((await attempts(stage)) > 0 ? true : null), 20_000, 50);
  await fault.inject(stage);
  await fault.during?.(stage);
  await fault.heal(stage);
  stage.upstream.isDown = false;
  await waitFor(
    'writes to be possible',
    async () => ((await override(stage.replicas[0], 'DELETE')).status < 500 ? true : null),
    10_000,
    100,
  );
  await holdsAfterwards(stage, since);
  console.log(
    `${fault.name}: ${((performance.now() - since.atMs) / 1000).toFixed(1)} s, ${stage.spans.seconds(since.atMs).toFixed(1)} s of it governed and closed`,
  );
}

/** Attempts of the running recovery to probe catalog. */
async function attempts({ replicas: [{ port }] }: ReplicaStage): Promise<number> {
  const { recovering } = await viewOf(port);
  if (recovering === null) return 0;
  const response = await fetch(`http://127.0.0.1:${port}/v1/services/${SERVICE}/recoveries/${recovering}`);
  const { timeline } = (await response.json()) as { timeline: { event: string }[] };
  return timeline.filter(({ event }) => event === 'probe-attempt').length;
}

export async function seenAt(replica: Replica): Promise<Seen> {
  const readyz = await fetch(`http://127.0.0.1:${replica.port}/readyz`);
  const text = await readyz.text();
  const write = await override(replica, 'PUT');
  const problem = (await write.json()) as { code?: string; detail?: string };
  return {
    readiness: { code: readyz.status, status: (JSON.parse(text) as { status: string }).status, text },
    write: { code: write.status, problem: problem.code ?? '', detail: problem.detail ?? '' },
  };
}

/** A person's word on `checkout`, which no row is about; it says what holds anyway. */
async function override({ port }: Replica, method: 'PUT' | 'DELETE'): Promise<Response> {
  const url = `http://127.0.0.1:${port}/v1/services/${SERVICE}/features/checkout/override`;
  const body = method === 'PUT' ? JSON.stringify({ kind: 'FORCED_CLOSED', reason: 'a test' }) : null;
  const ask = (condition: Record<string, string>): Promise<Response> =>
    fetch(url, { method, body, headers: { ...(body === null ? {} : { 'content-type': 'application/json' }), ...condition } });
  const replaced = await ask({ 'if-match': '*' });
  return method === 'PUT' && replaced.status === 412 ? ask({}) : replaced;
}

/** It answers whoever asks, says at `/readyz` that it is degraded and why, and refuses to change anything, with the same reason. */
export async function isDegraded(replica: Replica, why: RegExp): Promise<void> {
  const look = async (): Promise<true | null> => {
    const { readiness, write } = await seenAt(replica);
    const isSaid = readiness.code === 200 && readiness.status === 'degraded' && why.test(readiness.text);
    const isRefused = write.code === 503 && write.problem === 'REKINDLE_STORE_FAILED' && why.test(write.detail);
    if (!isSaid || !isRefused) throw new Error(JSON.stringify({ readiness, write }));
    return true;
  };
  await waitFor(`the replica to say that it is degraded: ${why}`, look, 10_000, 100);
  expect((await viewOf(replica.port)).features).toHaveLength(policy.features.length);
}

/** The replica that leads now. */
export function leaderOf({ replicas }: ReplicaStage): Promise<Replica> {
  return waitFor(
    'one replica to lead',
    async () => {
      const leading = await Promise.all(replicas.map(async (replica) => ((await isLeading(replica)) ? [replica] : [])));
      const [leader, ...more] = leading.flat();
      return leader !== undefined && more.length === 0 ? leader : null;
    },
    10_000,
  );
}

export function otherThan({ replicas: [first, second] }: ReplicaStage, replica: Replica): Replica {
  return replica === first ? second : first;
}

export async function isLeading({ port }: Replica): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(1000) });
  return /^rekindle_leading 1$/m.test(await response.text());
}

/** Every proxy has lost its lease: autonomy, R2. */
export function governanceLapses({ proxies }: ReplicaStage): Promise<true> {
  return waitFor('governance to lapse', async () => (proxies.some(({ isGoverned }) => isGoverned) ? null : true), 15_000);
}

/** Long enough for several ticks and reports. */
export const aWhile = (): Promise<void> => sleep(1500);

/** What is said of a store that is too slow, or cannot be spoken to. */
export const LATE = /no answer within|in time|cannot be reached/;
