import type { Reason, Recovery, ServiceState, StepResult, TimelineEntry } from '../domain/model.ts';
import { type AuditEntry, isTombstone, type Stored } from '../store/store.ts';
import { proxiesTold } from './directive.ts';

/** Name of the ticker in the audit. */
export const TICKER = 'recovery';

/** What one change makes of a service. */
export interface Change {
  readonly next: Stored;
  readonly audit: readonly AuditEntry[];
  readonly result: StepResult | null;
}

/** The change that a result of the domain asks for; null: nothing changed. */
export function changeBy(actor: string, before: Stored | null, result: StepResult, nowMs: number): Change | null {
  if (result.state === before) return null;
  const next = numbered(before, result.state);
  const base = { atMs: nowMs, actor, revision: next.revision };
  const isPolicy = ({ event }: TimelineEntry) => event.startsWith('policy-'); // before the flags that it changed
  const flags = result.transitions.map((transition): AuditEntry => ({ ...base, action: 'flag-changed', ...transition }));
  const entryOf = ({ event, atMs: _, ...said }: TimelineEntry): AuditEntry => ({ ...base, action: event, ...said });
  const policy = result.events.filter(isPolicy).map(entryOf);
  return { next, audit: [...policy, ...flags, ...result.events.filter((each) => !isPolicy(each)).map(entryOf)], result };
}

/** Deletes a service: filters are told, and its numbers are kept (R5). */
export function deletionBy(actor: string, state: ServiceState, nowMs: number): Change {
  const next = {
    deleted: true,
    service: state.service,
    revision: state.revision + 1,
    version: state.version + 1,
    deletedAtMs: nowMs,
  } as const;
  const reason: Reason = { because: 'deleted', numbers: { features: state.policy.features.length } };
  const entry = { atMs: nowMs, actor, action: 'policy-deleted', reason, revision: next.revision };
  return { next, audit: [entry], result: null };
}

/** Recoveries that ended with this change. */
export function endedBy(before: Stored | null, next: Stored, nowMs: number): Recovery[] {
  const was = before && !isTombstone(before) ? before.recovery : null;
  const is = isTombstone(next) ? null : next.recovery;
  const ended: Recovery[] = [];
  if (was?.endedAtMs === null && was.id !== is?.id)
    ended.push({ ...was, endedAtMs: nowMs, result: isTombstone(next) ? 'aborted' : 'superseded' });
  if (is && is.endedAtMs !== null && (was?.id !== is.id || was.endedAtMs === null)) ended.push(is);
  return ended;
}

/** One more write; and one more revision when only the number of proxies that directives tell has changed. */
function numbered(before: Stored | null, state: ServiceState): ServiceState {
  if (!before) return { ...state, version: 1 };
  const version = before.version + 1;
  const isNews = !isTombstone(before) && proxiesTold(before.nodes.length) !== proxiesTold(state.nodes.length);
  const revision = isNews && state.revision === before.revision ? before.revision + 1 : state.revision;
  return { ...state, version, revision };
}
