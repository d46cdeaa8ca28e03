import fc from 'fast-check';
import { Directive } from '../../control-plane/contract/directive.ts';
import { arbitraryOf } from './arbitrary.ts';
import { soundPolicies } from './sound-policy.ts';

/** Directives as a control plane sends them: each feature has one flag, and the policy is of the same service. */
export const directives: fc.Arbitrary<Directive> = fc
  .tuple(arbitraryOf(Directive) as fc.Arbitrary<Directive>, fc.option(soundPolicies))
  .map(([{ policy: _, ...drawn }, policy]) => ({
    ...drawn,
    flags: drawn.flags.map((flag, index) => ({ ...flag, feature: `f${index}-${flag.feature}`.slice(0, 63) })),
    ...(policy ? { policy: { ...(policy.written as Directive['policy'] & object), service: drawn.service } } : {}),
  }));
