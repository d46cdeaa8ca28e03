import type { IncomingHttpHeaders } from 'node:http';
import type { ServiceState } from '../domain/model.ts';
import { PreconditionFailed, PreconditionRequired } from '../errors.ts';
import { policyText } from '../fleet/directive.ts';

/** Strong validator of a policy: its revision, and its content in case the history was replaced. */
export function policyEtag({ policy, policyRevision }: ServiceState): string {
  return `"${policyRevision}-${policyText(policy).hash.slice(0, 16)}"`;
}

/** Whether the header lists this validator; weak ones never match a strong comparison (RFC 9110 section 13.1.1). */
export function lists(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((part) => part.trim())
    .some((part) => part === '*' || part === etag);
}

/** Holds a write of a policy to what its caller has seen: replacing needs If-Match, creating may say If-None-Match: *. */
export function requireSeen(headers: IncomingHttpHeaders, service: string, present: ServiceState | null): void {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  const etag = present && policyEtag(present);
  if (match !== undefined && (etag === null || !lists(match, etag))) throw new PreconditionFailed(service, 'If-Match');
  if (noneMatch !== undefined && etag !== null && lists(noneMatch, etag)) throw new PreconditionFailed(service, 'If-None-Match');
  if (match === undefined && present) throw new PreconditionRequired(service);
}
