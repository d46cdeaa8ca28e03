import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AuditEntry, auditedStateOf, replay } from '../../../control-plane/domain/audit.ts';
import type { ServiceState, StepResult } from '../../../control-plane/domain/model.ts';
import { clearOverride, setOverride } from '../../../control-plane/domain/overrides.ts';
import { applyPolicy } from '../../../control-plane/domain/policy-change.ts';
import { changeBy } from '../../../control-plane/fleet/change.ts';
import { done, override, policyOf, T0 } from './fixtures.ts';

const ANN = { who: 'ann', why: 'test' };

/** Entries that a chain of commands leaves, with the state at its end. */
function told(...commands: ((state: ServiceState | null) => StepResult)[]): { entries: AuditEntry[]; state: ServiceState } {
  let state: ServiceState | null = null;
  const entries: AuditEntry[] = [];
  for (const command of commands) {
    const change = changeBy('ann', state, command(state), T0);
    if (!change) continue;
    entries.push(...change.audit);
    state = change.next as ServiceState;
  }
  return { entries, state: state! };
}

const create = () => done(applyPolicy(null, policyOf([{ name: 'a' }, { name: 'b' }]), T0));
const hold = (state: ServiceState | null) => done(setOverride(state!, 'a', override('HOLD', { admit: 700 }), T0));
const rename = (state: ServiceState | null) =>
  done(applyPolicy(state!, policyOf([{ name: 'c', renamedFrom: 'a' }, { name: 'b' }, { name: 'd' }]), T0));
const drop = (state: ServiceState | null) => done(applyPolicy(state!, policyOf([{ name: 'c', renamedFrom: 'a' }]), T0));
const leave = (state: ServiceState | null) => done(clearOverride(state!, 'c', ANN, T0));

test('replay from nothing, through overrides, renames, features that come and go', () => {
  const { entries, state } = told(create, hold, rename, drop, leave);
  expect(replay({}, entries)).toEqual(auditedStateOf(state));
  expect(auditedStateOf(state)).toEqual({ c: { state: 'TESTING', admit: 500, by: 'recovery', step: 5 } });
});

test('a rename moves the flag along even where no flag of ours acts', () => {
  const shadow = (name: string, renamedFrom?: string) =>
    policyOf([{ name, mode: 'shadow', ...(renamedFrom === undefined ? {} : { renamedFrom }) }]);
  const { entries, state } = told(
    () => done(applyPolicy(null, shadow('a'), T0)),
    (before) => done(applyPolicy(before!, shadow('b', 'a'), T0)),
  );
  expect(replay({}, entries)).toEqual(auditedStateOf(state));
  expect(replay({}, entries)).toEqual({ b: { state: 'ENABLED', admit: 10_000, by: 'recovery', step: 1 } });
});

test('from any cut on', () => {
  const { entries, state } = told(create, hold, rename, drop, leave);
  fc.assert(
    fc.property(fc.nat(entries.length), (cut) => {
      const snapshot = replay({}, entries.slice(0, cut));
      expect(replay(snapshot, entries.slice(cut))).toEqual(auditedStateOf(state));
    }),
  );
});

test('a deleted policy leaves nothing', () => {
  const { entries } = told(create, hold);
  const deleted: AuditEntry = { atMs: T0, actor: 'ann', action: 'policy-deleted', reason: { because: 'deleted' }, revision: 9 };
  expect(replay({}, [...entries, deleted])).toEqual({});
});
