import type fc from 'fast-check';
import { withDefaults } from '../../control-plane/contract/defaults.ts';
import { RESERVED_HEADERS } from '../../control-plane/contract/fallback.ts';
import { type Feature, Policy } from '../../control-plane/contract/policy.ts';
import { arbitraryOf } from './arbitrary.ts';

export interface DrawnPolicy {
  /** As a person writes it: members may be missing that have a default. */
  readonly written: object;
  /** With every default filled in. */
  readonly full: Policy;
}

/** Policies that the schema and the rules beyond it accept. */
export const soundPolicies: fc.Arbitrary<DrawnPolicy> = arbitraryOf(Policy).map((drawn) => {
  const written = drawn as Record<string, unknown>;
  const full = withDefaults(Policy, structuredClone(drawn)) as Policy;
  mend(full);
  return { written: withoutUndrawn(full, withDefaults(Policy, structuredClone(written)), written) as object, full };
});

/** Moves what the schema accepts to where the rules accept it too. */
function mend(policy: Policy): void {
  const { governance, features } = policy;
  governance.reportMs = Math.max(100, Math.min(governance.reportMs, Math.floor(governance.staleAfterMs / 3)));
  governance.quietReportMs = Math.max(100, Math.min(governance.quietReportMs, Math.floor(governance.staleAfterMs / 3)));
  for (const [index, feature] of features.entries()) {
    feature.name = `f${index}-${feature.name}`.slice(0, 63);
    mendRoutes(feature, index);
    mendThresholds(feature);
    const before = features.slice(0, index);
    feature.dependsOn = feature.dependsOn
      .slice(0, before.length)
      .map((dependency, position) => ({ ...dependency, feature: before[position]!.name }));
  }
}

function mendRoutes(feature: Feature, index: number): void {
  for (const [position, { path }] of feature.routes.entries()) {
    const place = `/r${index}-${position}`;
    if (path.exact !== undefined) path.exact = place + path.exact.slice(0, 1000);
    if (path.prefix !== undefined) path.prefix = place + path.prefix.slice(0, 1000);
    if (path.template !== undefined) path.template = `${place}/{id}/${path.template.replaceAll(/[{}/]/g, '')}/{other}`.slice(0, 1000);
  }
}

function mendThresholds(feature: Feature): void {
  const { breaker, health, recovery, failure, fallback } = feature;
  breaker.openCapMs = Math.max(breaker.openMs, breaker.openCapMs);
  health.degradedPercent = Math.min(health.degradedPercent, 99);
  health.unhealthyPercent = Math.max(health.unhealthyPercent, health.degradedPercent + 1);
  recovery.backoff.capMs = Math.max(recovery.backoff.baseMs, recovery.backoff.capMs);
  recovery.rampPercent = [...new Set([...recovery.rampPercent, 100])].sort((a, b) => a - b);
  for (const range of failure.statuses) range.to = Math.max(range.from, range.to);
  if (fallback.some(({ cluster }) => cluster === undefined)) feature.protocol = 'http';
  for (const rung of fallback) mendRung(rung);
}

function mendRung({ stale, cluster, static: reply }: Feature['fallback'][number]): void {
  const rung = stale ?? cluster ?? reply;
  if (rung?.causes) rung.causes = [...new Set(rung.causes)];
  if (!reply) return;
  for (const name of RESERVED_HEADERS) delete reply.headers[name];
  if ([204, 205, 304].includes(reply.status)) reply.representations = [];
  if ([204, 205, 304].includes(reply.status) || reply.representations.length > 0) reply.body = '';
  for (const representation of reply.representations)
    representation.contentType = `text/${representation.contentType.replace(/[/;]/g, 'x')}`;
}

/** `full` without the members that were not drawn and still have their default. */
function withoutUndrawn(full: unknown, defaults: unknown, drawn: unknown): unknown {
  if (Array.isArray(full)) {
    return full.map((item, index) => withoutUndrawn(item, (defaults as unknown[])[index], (drawn as unknown[] | undefined)?.[index]));
  }
  if (typeof full !== 'object' || full === null) return full;
  const kept = Object.entries(full).filter(([name, value]) => {
    const isDrawn = drawn !== undefined && Object.hasOwn(drawn as object, name);
    return isDrawn || JSON.stringify(value) !== JSON.stringify((defaults as Record<string, unknown>)[name]);
  });
  return Object.fromEntries(
    kept.map(([name, value]) => [
      name,
      withoutUndrawn(value, (defaults as Record<string, unknown>)[name] ?? value, (drawn as Record<string, unknown> | undefined)?.[name]),
    ]),
  );
}
