import type { IncomingHttpHeaders } from 'node:http';
import type { FeatureRecord, Recovery, ServiceState } from '../domain/model.ts';
import { PreconditionFailed, PreconditionRequired } from '../errors.ts';
import { policyText } from '../fleet/directive.ts';

/** Strong validator of a policy: its revision, and its content in case the history was replaced. */
export function policyEtag({ policy, policyRevision }: ServiceState): string {
  return `"${policyRevision}-${policyText(policy).hash.slice(0, 16)}"`;
}

/** Whether If-Match lists this validator; weak ones never match (RFC 9110 section 13.1.1). */
function matches(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((part) => part.trim())
    .some((part) => part === '*' || part === etag);
}

/** Whether If-None-Match lists this validator; one that a proxy has weakened on the way matches too (section 13.1.2). */
export function isListed(header: string | undefined, etag: string): boolean {
  return header !== undefined && matches(header.replace(/W\//g, ''), etag);
}

/** Strong validator of a person's word on a feature. */
export function overrideEtag({ step, override }: FeatureRecord): string | null {
  return override && `"${step}-${override.createdAtMs.toString(36)}"`;
}

/** Validator of a recovery for those who step in: its service's revision, and how often people stepped in. Waiting does not change it. */
export function recoveryEtag({ revision }: Pick<ServiceState, 'revision'>, { interventions, endedAtMs }: Recovery): string {
  return endedAtMs === null ? `"${revision}-${interventions}"` : `"ended-${interventions}"`;
}

/** Holds a write of a policy to what its caller has seen: replacing needs If-Match, creating may say If-None-Match: *. */
export function requireSeen(headers: IncomingHttpHeaders, service: string, present: ServiceState | null): void {
  requireMatch(headers, `the policy of ${service}`, present && policyEtag(present));
}

/** Holds a write to what its caller has seen. `etag` null: there is nothing yet, so nothing to have seen. */
export function requireMatch(headers: IncomingHttpHeaders, what: string, etag: string | null): void {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  if (match !== undefined && etag === null) throw new PreconditionFailed(`${what}, which does not exist,`, 'If-Match');
  if (match !== undefined && etag !== null && !matches(match, etag)) throw new PreconditionFailed(what, 'If-Match');
  if (etag !== null && isListed(noneMatch, etag)) throw new PreconditionFailed(what, 'If-None-Match');
  if (match === undefined && etag !== null) throw new PreconditionRequired(what);
}
