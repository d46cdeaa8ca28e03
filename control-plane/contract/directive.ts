import Type, { type Static } from 'typebox';
import { LIMITS } from './limits.ts';
import { Admit, Counter, FeatureState, Id, Name } from './names.ts';
import { Policy } from './policy.ts';

const closed = { additionalProperties: false } as const;

/**
 * What the fleet, or a person, says of one feature. A person's flag maps to an override: DISABLED is FORCED_OPEN, ENABLED is
 * FORCED_CLOSED, TESTING holds the share `admit`. When a person's flag runs out without contact, the proxy turns it into
 * local state as it does with a recovery's flag when the lease lapses (R3, R14).
 */
export const Flag = Type.Object(
  {
    feature: Name,
    step: Type.Integer({ minimum: 0, maximum: LIMITS.safeInteger, description: 'Id of the last change to this flag (R1)' }),
    state: FeatureState,
    admit: Admit,
    by: Type.Enum(['recovery', 'person']),
    expiresInMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: LIMITS.durationMs, description: "Of a person's flag; absent means never" }),
    ),
  },
  closed,
);
export type Flag = Static<typeof Flag>;

/** The revisioned document that filters receive; named by (lineage, revision, hash) (R5). */
export const Directive = Type.Object(
  {
    service: Name,
    lineage: Id,
    revision: Counter,
    hash: Id,
    policyRevision: Type.Integer({ minimum: 0, maximum: LIMITS.safeInteger, description: 'Revision that last changed the policy' }),
    proxies: Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description: 'Proxies known to the fleet, for the stretch of autonomous probing (R8)',
    }),
    flags: Type.Array(Flag, { minItems: 0, maxItems: LIMITS.features }),
    policy: Type.Optional(Policy),
    deleted: Type.Optional(Type.Boolean({ description: 'Tombstone: the policy was deleted by a person (R5)' })),
  },
  closed,
);
export type Directive = Static<typeof Directive>;
