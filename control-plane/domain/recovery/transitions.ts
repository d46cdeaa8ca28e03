import type { FeatureState } from '../../contract/names.ts';

/** Why a flag may change. */
export type Cause =
  | 'opened'
  | 'pulled-back'
  | 'probes-passed'
  | 'step-passed'
  | 'step-failed'
  | 'rolled-back'
  | 'recovered-locally'
  | 'overridden'
  | 'override-left'
  | 'policy-changed'
  | 'mode-left';

export interface FlagValue {
  readonly state: FeatureState;
  readonly admit: number;
}

type Direction = 'up' | 'down' | 'same' | 'any';

interface Rule {
  readonly from: readonly FeatureState[];
  readonly to: readonly FeatureState[];
  readonly admit: Direction;
}

const ANY: readonly FeatureState[] = ['DISABLED', 'TESTING', 'ENABLED'];

/** Every legal change of a flag, by its cause. What is not here cannot happen. */
export const TRANSITIONS: Readonly<Record<Cause, Rule>> = {
  opened: { from: ['ENABLED'], to: ['DISABLED'], admit: 'down' },
  'pulled-back': { from: ['ENABLED', 'TESTING'], to: ['DISABLED'], admit: 'down' },
  'probes-passed': { from: ['DISABLED'], to: ['TESTING', 'ENABLED'], admit: 'up' },
  'step-passed': { from: ['TESTING'], to: ['TESTING', 'ENABLED'], admit: 'up' },
  'step-failed': { from: ['TESTING'], to: ['TESTING', 'DISABLED'], admit: 'down' },
  'rolled-back': { from: ['TESTING', 'ENABLED'], to: ['TESTING', 'DISABLED'], admit: 'down' },
  'recovered-locally': { from: ['DISABLED', 'TESTING'], to: ['ENABLED'], admit: 'up' },
  overridden: { from: ANY, to: ANY, admit: 'any' },
  'override-left': { from: ANY, to: ANY, admit: 'any' },
  'policy-changed': { from: ANY, to: ANY, admit: 'same' },
  'mode-left': { from: ANY, to: ['ENABLED'], admit: 'any' },
};

export function isLegal(cause: Cause, from: FlagValue, to: FlagValue): boolean {
  const rule = TRANSITIONS[cause];
  return rule.from.includes(from.state) && rule.to.includes(to.state) && goes(rule.admit, from, to) && isCoherent(to);
}

function goes(direction: Direction, from: FlagValue, to: FlagValue): boolean {
  switch (direction) {
    case 'up':
      // The last step lets all through already; only then ENABLED leaves the share as it is.
      return to.admit > from.admit || (to.admit === from.admit && from.state === 'TESTING' && to.state === 'ENABLED');
    case 'down':
      return to.admit < from.admit;
    case 'same':
      return to.admit === from.admit && to.state === from.state;
    case 'any':
      return true;
  }
}

/** The state and the share must say the same. */
function isCoherent({ state, admit }: FlagValue): boolean {
  if (state === 'DISABLED') return admit === 0;
  return state === 'ENABLED' ? admit === 10_000 : admit >= 0 && admit <= 10_000;
}
