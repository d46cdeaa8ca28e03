import Type, { type Static } from 'typebox';
import { Counter, Id, MODES, Name } from '../names.ts';
import { FeatureView } from './features.ts';
import { nullable } from './kinds.ts';
import { Reason } from './reasons.ts';

export const ServiceSummary = Type.Object({
  service: Name,
  mode: Type.Enum([...MODES]),
  revision: Counter,
  proxies: Type.Integer({ description: 'Proxies that report now' }),
  features: Type.Object({ ENABLED: Type.Integer(), TESTING: Type.Integer(), DISABLED: Type.Integer() }),
  recovering: nullable(Id),
});
export type ServiceSummary = Static<typeof ServiceSummary>;

export const ServiceView = Type.Object({
  service: Name,
  mode: Type.Enum([...MODES]),
  autopilot: Type.Enum(['on', 'advise', 'off']),
  lineage: Id,
  revision: Counter,
  hash: Id,
  policyRevision: Counter,
  proxies: Type.Integer({ description: 'Proxies that report now' }),
  knownProxies: Type.Integer({ description: 'Proxies that the store remembers' }),
  governing: Type.Boolean({ description: 'Whether proxies may rely on the fleet to bring features back' }),
  holding: nullable(Reason),
  recovering: nullable(Id),
  features: Type.Array(FeatureView),
});
export type ServiceView = Static<typeof ServiceView>;
