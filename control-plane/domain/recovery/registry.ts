import { ExponentialBackoffPattern } from './exponential-backoff-pattern.ts';
import { PartialRecoveryPattern } from './partial-recovery-pattern.ts';
import type { RecoveryPattern } from './pattern.ts';

/** Patterns by the name that a policy gives. */
export class PatternRegistry {
  private readonly patterns = new Map<string, RecoveryPattern>();

  constructor(patterns: readonly RecoveryPattern[]) {
    for (const pattern of patterns) this.patterns.set(pattern.name, pattern);
  }

  /** Throws on an unknown name: the policy's schema names the known ones. */
  get(name: string): RecoveryPattern {
    const pattern = this.patterns.get(name);
    if (!pattern) throw new Error(`no recovery pattern ${name}, known: ${[...this.patterns.keys()].join(', ')}`);
    return pattern;
  }
}

export const BUILT_IN_PATTERNS = new PatternRegistry([new PartialRecoveryPattern(), new ExponentialBackoffPattern()]);
