import Type, { type Static } from 'typebox';
import { LIMITS } from '../limits.ts';
import { Admit, Counter, FeatureState, Name } from '../names.ts';
import { closed } from '../schema-kinds.ts';
import { auditFilters } from './events.ts';
import { instant } from './kinds.ts';
import { historyCursor, pageSize } from './pages.ts';
import { Reason } from './reasons.ts';

const by = Type.Optional(Type.Enum(['recovery', 'person'], { description: 'Whose word it is' }));
const flagValue = Type.Object({ state: FeatureState, admit: Admit, by });

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
export type AuditView = Static<typeof AuditView>;

export const AuditQuery = Type.Object(
  {
    limit: pageSize,
    cursor: historyCursor,
    ...auditFilters,
    since: Type.Optional(
      Type.Integer({ minimum: 0, maximum: LIMITS.safeInteger, description: 'Not before this moment, in ms since 1970' }),
    ),
    until: Type.Optional(Type.Integer({ minimum: 0, maximum: LIMITS.safeInteger, description: 'Before this moment, in ms since 1970' })),
  },
  { ...closed, default: {} },
);
export type AuditQuery = Static<typeof AuditQuery>;
