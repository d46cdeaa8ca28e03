import { DocumentReader } from '../../../control-plane/contract/documents.ts';
import { Feature, Policy } from '../../../control-plane/contract/policy.ts';
import { readPolicy } from '../../../control-plane/contract/policy-document.ts';

export type Json = Readonly<Record<string, unknown>>;

const reader = new DocumentReader(Policy);

/** A whole policy or a part of one, completed to a policy; null: it is no part of one. */
export function policyFrom(document: Json): Json | null {
  if (isPartOf(Policy, document) && 'features' in document)
    return { service: 'shop', ...document, features: completed(document['features']) };
  if (isPartOf(Feature, document)) return { service: 'shop', features: completed([document]) };
  if (isPartOf(Policy, document)) return { service: 'shop', features: completed([{}]), ...document };
  return null;
}

/** What the control plane would refuse it for. */
export function policyProblems(policy: Json): string | null {
  const read = readPolicy(reader, structuredClone(policy), null);
  return 'problems' in read ? read.problems.map(({ path, reason }) => `${path}: ${reason}`).join('; ') : null;
}

function isPartOf(schema: { readonly properties: object }, document: Json): boolean {
  return Object.keys(document).every((key) => key in schema.properties);
}

/** Features with the names and routes that an excerpt leaves out. */
function completed(features: unknown): unknown {
  if (!Array.isArray(features)) return features;
  return features.map((feature: Json, index) => {
    const name = feature['name'] ?? `feature-${index}`;
    return { name, routes: [{ path: { prefix: `/${name}` } }], ...feature };
  });
}
