import Type, { type Static } from 'typebox';
import { BreakerPhase, Counter, Id } from '../names.ts';
import { nullable, span } from './kinds.ts';

export const ProxyView = Type.Object({
  node: Type.String(),
  instance: Id,
  version: Type.String({ description: 'Version of the filter module' }),
  uptimeMs: span('Age of the Envoy process'),
  lastReportAgeMs: span('Age of its last report'),
  intervalMs: span('Interval at which it means to report'),
  governed: Type.Boolean({ description: 'Holds a live lease of the recovery' }),
  revision: nullable(Counter),
  isCurrent: Type.Boolean({ description: 'Has the present revision' }),
  rejected: nullable(Type.Object({ count: Counter, revision: Counter, reason: Type.String() })),
  breakers: Type.Record(Type.String(), BreakerPhase, { description: 'Breaker phase per feature' }),
});
export type ProxyView = Static<typeof ProxyView>;
