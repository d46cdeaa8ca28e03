import Type, { type Static } from 'typebox';
import { Admit, BREAKER_PHASES, Counter, FeatureHealth, FeatureState, MODES, Name } from '../names.ts';
import { instant, nullable } from './kinds.ts';
import { OverrideView } from './overrides.ts';
import { Reason } from './reasons.ts';

export const FeatureRecoveryView = Type.Object({
  phase: Type.String({ description: 'blocked, waiting, probing, ramping, ceiling, held or done' }),
  attempt: Type.Integer({ description: 'Attempts so far that had a sample' }),
  nextAttemptAtMs: instant('Next attempt, or next try of a failed step'),
  stepPercent: nullable(Type.Integer({ description: 'Present step of the ramp; null: probes' })),
  passedPercent: nullable(Type.Integer({ description: 'Highest step that passed' })),
  outageStartedAtMs: instant('First opening of this outage'),
  reason: Reason,
});
const perSecond = (description: string) => Type.Number({ minimum: 0, description: `${description}, per second` });

export const Rates = Type.Object(
  {
    requests: perSecond('Requests'),
    admitted: perSecond('Let through to the upstream'),
    failed: perSecond('Failed at the upstream'),
    degraded: Type.Object({ stale: perSecond('Stale copies'), cluster: perSecond('Other cluster'), static: perSecond('Static replies') }),
  },
  { description: 'Over the last seconds, all proxies together' },
);

export const FeatureView = Type.Object(
  {
    name: Name,
    priority: Type.Integer(),
    mode: Type.Enum([...MODES]),
    dependsOn: Type.Array(Name),
    state: FeatureState,
    admit: Admit,
    by: Type.Enum(['recovery', 'person'], { description: 'Whose word state and admit are' }),
    step: Counter,
    sinceMs: instant('Last change of the flag'),
    reason: Reason,
    health: FeatureHealth,
    healthSinceMs: instant('Last change of the health'),
    healthReason: Reason,
    override: nullable(OverrideView),
    recovery: nullable(FeatureRecoveryView),
    breakers: Type.Object(Object.fromEntries(BREAKER_PHASES.map((phase) => [phase, Type.Optional(Type.Integer())])), {
      description: 'Proxies per breaker phase',
    }),
    rates: Rates,
    suspects: Type.Array(Type.String(), { description: 'Nodes that fail alone' }),
  },
  { description: 'One feature over the whole fleet', $id: 'Feature' },
);
export type FeatureView = Static<typeof FeatureView>;
