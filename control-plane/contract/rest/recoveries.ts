import Type, { type Static } from 'typebox';
import { LIMITS } from '../limits.ts';
import { Counter, Id, Name } from '../names.ts';
import { closed } from '../schema-kinds.ts';
import { expiry, instant, nullable, span, words } from './kinds.ts';
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
  pausedMs: span('How long people held it up'),
  interventions: Type.Integer({ ...Counter, description: 'How often people stepped in' }),
};
const Pause = Type.Object({
  fromMs: instant('Start'),
  endedAtMs: nullable(instant('End; null: it is on')),
  expiresAtMs: nullable(instant('When it ends by itself; null: never')),
  author: Type.String(),
  reason: Type.String(),
});
const features = (description: string) => Type.Optional(Type.Array(Name, { minItems: 1, maxItems: LIMITS.features, description }));

export const StartRecoveryRequest = Type.Object(
  {
    reason: words('Why; kept in the audit'),
    features: features('Only these; what else is lowered then waits for a person. Default: all that is not ENABLED'),
  },
  { ...closed, description: 'Starts a recovery', examples: [{ reason: 'vendor says it is fixed' }] },
);
export const PauseRequest = Type.Object(
  { reason: words('Why; kept in the audit'), expiresInMs: expiry() },
  { ...closed, description: 'Keeps everything from rising', examples: [{ reason: 'waiting for the vendor', expiresInMs: 900_000 }] },
);
export const InterventionRequest = Type.Object(
  { reason: words('Why; kept in the audit'), features: features('Only these. Default: all that it can be done to') },
  { ...closed, description: 'What a person does to a recovery', examples: [{ reason: 'looked at the logs, it is fine' }] },
);

export const RecoverySummary = Type.Object(recoveryMembers);
export type RecoverySummary = Static<typeof RecoverySummary>;
export const RecoveryView = Type.Object(
  { ...recoveryMembers, pauses: Type.Array(Pause), timeline: Type.Array(TimelineEntry) },
  { $id: 'Recovery' },
);
export type RecoveryView = Static<typeof RecoveryView>;
