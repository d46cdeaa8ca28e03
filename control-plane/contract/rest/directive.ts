import Type from 'typebox';
import { Counter, Id } from '../names.ts';
import { closed } from '../schema-kinds.ts';

export const WatchQuery = Type.Object(
  {
    lineage: Type.Optional(Id),
    revision: Type.Optional(Counter),
    hash: Type.Optional(Id),
    policyRevision: Type.Optional(Type.Integer({ ...Counter, description: 'Revision of the policy that the caller has, under `lineage`' })),
    wait: Type.Integer({ minimum: 0, maximum: 60, default: 0, description: 'Seconds to wait for a difference' }),
  },
  { ...closed, default: {} },
);
