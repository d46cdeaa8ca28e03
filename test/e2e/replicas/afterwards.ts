import { pino } from 'pino';
import { expect } from 'vitest';
import type { ServiceView } from '../../../control-plane/contract/rest/services.ts';
import { type AuditedState, auditedStateOf, replay } from '../../../control-plane/domain/audit.ts';
import { openRedisStore } from '../../../control-plane/store/redis/redis-store.ts';
import { type AuditRecord, isTombstone, type Store } from '../../../control-plane/store/store.ts';
import { isUnanswered } from '../../../envoy/demo/load.ts';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { policy, SERVICE } from './policy.ts';
import type { Sent } from './recorder.ts';
import type { ReplicaStage } from './stage.ts';

const recoverWithinMs = 30_000;

/** Where a row of the table began. */
export interface Beginning {
  readonly atMs: number;
  readonly answers: number;
  readonly sent: number;
}

/** What must hold after every fault, whatever it was. */
export async function holdsAfterwards(stage: ReplicaStage, since: Beginning): Promise<void> {
  const { lineage, revision } = await allAgree(stage);
  await auditTellsTheState(stage, lineage, revision);
  for (const sent of stage.recorder.sent.slice(since.sent)) isFitToSend(sent);
  oneWordPerRevision(stage.recorder.sent);
  probesWithinBudget(stage, since);
  expect(stage.answers.slice(since.answers).filter(isUnanswered), 'clients without an answer').toEqual([]);
  expect(await stage.envoy.traps()).toEqual([]);
}

/** Both replicas and all proxies come to hold the same directive, everything ENABLED, no recovery going on. */
async function allAgree({ replicas, proxies, envoy }: ReplicaStage): Promise<{ lineage: string; revision: number }> {
  const agreed = async (): Promise<{ lineage: string; revision: number } | null> => {
    const [first, second] = await Promise.all(replicas.map(({ port }) => viewOf(port)));
    if (!first || !second) throw new Error('a replica does not know the service');
    if (!isAtRest(first) || nameOf(first) !== nameOf(second)) throw new Error(`${nameOf(first)} and ${nameOf(second)}`);
    const held = proxies.filter(({ directive }) => directive === null || nameOf(directive) !== nameOf(first)).length;
    if (held > 0) throw new Error(`${held} proxies hold another directive than ${nameOf(first)}`);
    const envoys = valueIn(await envoy.metrics(), 'rekindle_directive_revision', { service: SERVICE });
    return envoys === first.revision ? { lineage: first.lineage, revision: first.revision } : null;
  };
  return waitFor('replicas and proxies to agree that all is well', agreed, recoverWithinMs, 100);
}

export async function viewOf(port: number): Promise<ServiceView> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/services/${SERVICE}`);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as ServiceView;
}

function isAtRest({ features, recovering }: ServiceView): boolean {
  return recovering === null && features.length === policy.features.length && features.every(({ state }) => state === 'ENABLED');
}

function nameOf({ lineage, revision, hash }: { lineage: string; revision: number; hash: string }): string {
  return `${lineage}/${revision}/${hash}`;
}

/** No transition is lost, none is there twice, and what filters were sent at any revision is what the audit says of it (R17). */
async function auditTellsTheState({ redis, recorder }: ReplicaStage, lineage: string, revision: number): Promise<void> {
  const store = await openRedisStore({ url: new URL(redis().url), log: pino({ level: 'silent' }) });
  try {
    expect(store.lineage).toBe(lineage);
    const stored = await store.load(SERVICE);
    if (stored === null || isTombstone(stored)) throw new Error('the service is not stored');
    expect(stored.revision).toBe(revision);
    const { state: from = {}, throughSequence = 0 } = (await store.auditSnapshot(SERVICE)) ?? {};
    const entries = await entriesOf(store);
    expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, index) => throughSequence + 1 + index));
    chains(from, entries);
    expect(replay(from, entries)).toEqual(auditedStateOf(stored));
    const [first] = entries;
    const known = recorder.sent.filter(
      ({ directive }) => directive.lineage === lineage && directive.revision >= (first?.revision ?? Infinity),
    );
    for (const { directive } of known) {
      const then = replay(
        from,
        entries.filter((entry) => entry.revision <= directive.revision),
      );
      const told = directive.flags.map(({ feature, state, admit, by, step }) => [feature, { state, admit, by, step }]);
      expect([directive.revision, Object.fromEntries(told)]).toEqual([directive.revision, then]);
    }
  } finally {
    await store.close();
  }
}

async function entriesOf(store: Store): Promise<readonly AuditRecord[]> {
  const all: AuditRecord[] = [];
  for (let before: number | undefined; ; ) {
    const page = await store.audit(SERVICE, { limit: 200, ...(before === undefined ? {} : { before }) });
    all.push(...page.items);
    if (page.next === null) return all.reverse();
    before = page.next;
  }
}

/** Every change of a flag starts where the one before has ended. */
function chains(from: AuditedState, entries: readonly AuditRecord[]): void {
  for (const [index, { sequence, feature, action, from: before }] of entries.entries()) {
    if (action !== 'flag-changed' || feature === undefined || before === undefined) continue;
    const { step: _, ...held } = replay(from, entries.slice(0, index))[feature]!;
    expect([sequence, feature, { ...before }]).toEqual([sequence, feature, held]);
  }
}

/** Never an empty policy, and never an older directive under the same lineage (R5). */
function isFitToSend({ held, knewPolicy, directive }: Sent): void {
  const { lineage, revision, flags, policy: sentPolicy, deleted } = directive;
  expect(deleted).toBeUndefined();
  expect(flags.map(({ feature }) => feature)).toEqual(policy.features.map(({ name }) => name));
  if (!knewPolicy) expect(sentPolicy?.features.length).toBe(policy.features.length);
  if (held?.lineage === lineage) expect(revision).toBeGreaterThanOrEqual(held.revision);
}

/** One lineage and revision never stands for two directives, whichever replica sends it. */
function oneWordPerRevision(sent: readonly Sent[]): void {
  const hashes = new Map<string, string>();
  for (const { directive } of sent) {
    const name = `${directive.lineage}/${directive.revision}`;
    expect([name, hashes.get(name) ?? directive.hash]).toEqual([name, directive.hash]);
    hashes.set(name, directive.hash);
  }
}

/** While all proxies are governed, the upstream has no more probes in flight than the policy allows, and no more in a second (R8). */
function probesWithinBudget({ upstream, spans }: ReplicaStage, since: Beginning): void {
  const { probesInFlight, probesPerSecond } = policy.recovery;
  const probes = upstream.arrivals.filter(({ atMs }) => atMs >= since.atMs && spans.covers(atMs));
  expect(Math.max(0, ...probes.map(({ inFlight }) => inFlight)), 'probes in flight').toBeLessThanOrEqual(probesInFlight);
  for (const { atMs } of probes) {
    const within = probes.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000).length;
    // What was granted just before the second began may be used in it.
    expect(within, 'probes in a second').toBeLessThanOrEqual(probesPerSecond + probesInFlight);
  }
}
