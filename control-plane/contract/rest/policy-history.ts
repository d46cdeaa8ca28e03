import Type, { type Static } from 'typebox';
import { LIMITS } from '../limits.ts';
import { Counter, describedName, MODES, Name } from '../names.ts';
import { closed } from '../schema-kinds.ts';
import { instant, words } from './kinds.ts';

export const VersionPath = Type.Object({
  service: describedName('Name of the service'),
  revision: Type.Integer({ ...Counter, description: 'Revision of the policy' }),
});

export const PolicyVersionView = Type.Object({
  revision: Counter,
  savedAtMs: instant('When it was written'),
  mode: Type.Enum([...MODES]),
  features: Type.Array(Name),
  isPresent: Type.Boolean({ description: 'Whether it is the one that holds now' }),
});
export type PolicyVersionView = Static<typeof PolicyVersionView>;

export const Rollback = Type.Object(
  {
    revision: Type.Integer({ minimum: 1, maximum: LIMITS.safeInteger, description: 'Of the history; its policy is written anew' }),
    reason: words('Why; kept in the audit'),
  },
  { ...closed, examples: [{ revision: 1, reason: 'the new thresholds trip too early' }] },
);
