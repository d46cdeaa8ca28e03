import type { Policy } from '../contract/policy.ts';
import type { Answer, ApiClient } from './api/client.ts';
import { part } from './options.ts';
import { type Difference, differences, lineOf } from './policy-diff.ts';

/** The policy that the control plane has, or null. */
export function presentPolicy(api: ApiClient, service: string): Promise<Answer<Policy> | null> {
  return api.find<Policy>(`v1/policies/${part(service)}`);
}

/** A draft as it would be stored: the control plane fills its own defaults in, and refuses what it would refuse. */
export async function checkedPolicy(api: ApiClient, written: Policy): Promise<Policy> {
  return (await api.change<Policy>('POST', 'v1/policies/validate', { body: written })).body;
}

export type PolicyChange = 'created' | 'changed' | 'unchanged';

/** What a write does, for scripts and for people. */
export interface PolicyReport {
  readonly service: string;
  readonly file: string | null;
  readonly result: PolicyChange;
  readonly differences: readonly Difference[];
}

export function reportOf(service: string, file: string | null, before: Policy | null, after: Policy): PolicyReport {
  const found = before ? differences(before, after) : [];
  return { service, file, result: before === null ? 'created' : found.length > 0 ? 'changed' : 'unchanged', differences: found };
}

/** `shop changed (shop.yaml)` and what is different. `verb` goes before the result: 'would be'. */
export function reportLines({ service, file, result, differences: found }: PolicyReport, verb = ''): string[] {
  const words = result === 'unchanged' || verb === '' ? result : `${verb} ${result}`;
  return [`${service} ${words}${file === null ? '' : ` (${file})`}`, ...found.map((difference) => `  ${lineOf(difference)}`)];
}
