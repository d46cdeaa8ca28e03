import { expect } from 'vitest';
import type { ControlPlane } from '../../../control-plane/app.ts';
import type { Directive } from '../../../control-plane/contract/directive.ts';

/** A filter that holds what it was sent, as filters do, and holds every directive to the law of R5. */
export class CheckedFilter {
  held: Directive | null = null;
  readonly lineages = new Set<string>();
  private readonly service: string;

  constructor(service: string) {
    this.service = service;
  }

  /** Asks with what it holds; the status of the answer. */
  async ask({ app }: Pick<ControlPlane, 'app'>, waitSeconds = 0): Promise<number> {
    const { held } = this;
    const query = held ? `lineage=${held.lineage}&revision=${held.revision}&hash=${held.hash}&policyRevision=${held.policyRevision}` : '';
    const response = await app.inject(`/v1/services/${this.service}/directive?${query}&wait=${waitSeconds}`);
    if (response.statusCode === 200) this.take(response.json());
    return response.statusCode;
  }

  private take(directive: Directive): void {
    const { held } = this;
    if (directive.lineage === held?.lineage)
      expect(directive.revision, 'an older directive under the same lineage').toBeGreaterThanOrEqual(held.revision);
    else expect([...this.lineages], 'a lineage that was over').not.toContain(directive.lineage);
    const policy = directive.policy ?? held?.policy;
    expect(directive.deleted ?? (policy?.features.length ?? 0) > 0, 'an empty policy').toBe(true);
    this.lineages.add(directive.lineage);
    this.held = policy ? { ...directive, policy } : directive;
  }
}
