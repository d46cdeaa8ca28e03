/** A policy of this many features, as a person writes it. */
export function policyOf(service: string, features: number): { readonly service: string; readonly features: readonly object[] } {
  return { service, features: namesOf(features).map((name) => ({ name, routes: [{ path: { prefix: `/${name}` } }] })) };
}

export function namesOf(features: number): string[] {
  return Array.from({ length: features }, (_, index) => `feature-${index}`);
}
