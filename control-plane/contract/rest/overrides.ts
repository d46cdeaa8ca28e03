import Type, { type Static } from 'typebox';
import { Admit } from '../names.ts';
import { closed } from '../schema-kinds.ts';
import { expiry, instant, nullable, words } from './kinds.ts';

export const OverrideRequest = Type.Object(
  {
    kind: Type.Enum(['FORCED_OPEN', 'FORCED_CLOSED', 'HOLD'], {
      description: 'FORCED_OPEN: nothing passes; FORCED_CLOSED: all passes; HOLD: the share `admit` passes',
    }),
    admit: Type.Optional(Admit),
    reason: words('Why; kept in the audit'),
    expiresInMs: expiry(),
  },
  {
    ...closed,
    description: "A person's word on a feature; it beats everything else until it expires",
    examples: [{ kind: 'FORCED_OPEN', reason: 'vendor maintenance until 14:00', expiresInMs: 7_200_000 }],
  },
);
export type OverrideRequest = Static<typeof OverrideRequest>;

export const OverrideView = Type.Object({
  kind: Type.Enum(['FORCED_OPEN', 'FORCED_CLOSED', 'HOLD']),
  admit: Type.Optional(Admit),
  reason: Type.String(),
  author: Type.String(),
  createdAtMs: instant('When it was set'),
  expiresAtMs: nullable(instant('When it ends; null: never')),
});
export type OverrideView = Static<typeof OverrideView>;
