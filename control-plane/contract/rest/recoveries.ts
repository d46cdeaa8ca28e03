import Type, { type Static } from 'typebox';
import { Id, Name } from '../names.ts';
import { instant, nullable } from './kinds.ts';
import { Reason } from './reasons.ts';

export const TimelineEntry = Type.Object({
  atMs: instant('When'),
  feature: Type.Optional(Name),
  event: Type.String({ description: 'Stable code' }),
  reason: Reason,
});

const recoveryMembers = {
  id: Id,
  service: Name,
  startedAtMs: instant('Start'),
  endedAtMs: nullable(instant('End; null: it runs')),
  startedBy: Type.String(),
  result: nullable(Type.Enum(['recovered', 'recovered-locally', 'aborted', 'superseded'])),
  plan: Type.Array(Type.Array(Name), { description: 'Waves of features in the order in which they start' }),
};
export const RecoverySummary = Type.Object(recoveryMembers);
export type RecoverySummary = Static<typeof RecoverySummary>;
export const RecoveryView = Type.Object({ ...recoveryMembers, timeline: Type.Array(TimelineEntry) }, { $id: 'Recovery' });
