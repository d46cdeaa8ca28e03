import Type from 'typebox';
import { Admit, Counter, FeatureState, Name } from '../names.ts';
import { instant } from './kinds.ts';
import { Reason } from './reasons.ts';

const flagValue = Type.Object({ state: FeatureState, admit: Admit });

export const AuditView = Type.Object({
  sequence: Counter,
  atMs: instant('When'),
  actor: Type.String({ description: '`recovery`, or who called' }),
  action: Type.String({ description: 'Stable code' }),
  feature: Type.Optional(Name),
  from: Type.Optional(flagValue),
  to: Type.Optional(flagValue),
  reason: Reason,
  revision: Counter,
});
