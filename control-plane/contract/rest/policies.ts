import Type, { type Static } from 'typebox';
import { Counter, MODES, Name } from '../names.ts';
import { closed } from '../schema-kinds.ts';

const etag = (description: string) => Type.Optional(Type.String({ description }));

/** Conditions of a write. */
export const WriteConditions = Type.Object({
  'if-match': etag('ETag of what is replaced or acted on, as last read; `*`: whatever it is now'),
  'if-none-match': etag('`*`: only if there is none yet'),
});
export const ReadConditions = Type.Object({ 'if-none-match': etag('ETag of the policy that the caller has') });

export const ForceQuery = Type.Object(
  { force: Type.Boolean({ default: false, description: 'Drop features though they recover or are overridden' }) },
  { ...closed, default: {} },
);

export const PolicySummary = Type.Object({
  service: Name,
  mode: Type.Enum([...MODES]),
  autopilot: Type.Enum(['on', 'advise', 'off']),
  revision: Counter,
  etag: Type.String(),
  features: Type.Integer({ description: 'Number of features' }),
});
export type PolicySummary = Static<typeof PolicySummary>;
