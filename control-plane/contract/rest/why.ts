import Type, { type Static } from 'typebox';
import { Admit, FeatureHealth, FeatureState, Name } from '../names.ts';
import { AuditView } from './audit.ts';
import { Reason } from './reasons.ts';

const Said = Type.Object({
  about: Type.String({ description: 'flag, health, recovery, override, mode, autopilot, dependency, cold-start, suspects or proxies' }),
  ...Reason.properties,
  text: Type.String({ description: 'The same in words' }),
});

export const WhyView = Type.Object(
  {
    service: Name,
    feature: Name,
    state: FeatureState,
    admit: Admit,
    health: FeatureHealth,
    text: Type.String({ description: 'One sentence for a person' }),
    because: Type.Array(Said, { description: 'What made it as it is' }),
    holds: Type.Array(Said, { description: 'What keeps it from letting more through; empty: nothing' }),
    changes: Type.Array(AuditView, { description: 'Its last changes, newest first' }),
  },
  { description: 'Why a feature is as it is, and why not otherwise' },
);
export type WhyView = Static<typeof WhyView>;
