import { LIMITS } from '../contract/limits.ts';
import type { Report, ReportReply } from '../contract/report.ts';
import { isGoverning } from '../domain/flags.ts';
import { saying, TooManyProxies } from '../errors.ts';
import type { Fleet } from '../fleet.ts';

/** Takes the report of a proxy. A repeated one changes nothing and gets the same permits (R8, R9). */
export function takeReport(fleet: Fleet, name: string, report: Report): ReportReply & { readonly status: 'accepted' | 'duplicate' } {
  const { service, state } = fleet.found(name);
  const nowMs = fleet.clock();
  const { status, deltas, silentAfterMs } = service.bookOf(state).record(report, nowMs);
  if (status === 'refused') throw saying(new TooManyProxies(name), { retryAfterSeconds: 60 });
  if (status === 'accepted') fleet.history.record({ service: name, node: report.node, silentAfterMs, deltas }, nowMs);
  const permits = fleet.permits.grant(state, report, nowMs, service.suspects);
  const age = isGoverning(state) ? service.governorAgeMs(nowMs) : null;
  return {
    status,
    lineage: service.directive.name.lineage,
    revision: state.revision,
    governorAgeMs: Math.min(Math.round(age ?? LIMITS.durationMs), LIMITS.durationMs),
    permits,
    health: report.features.flatMap(({ feature }) => {
      const health = state.features[feature]?.health;
      return health === undefined ? [] : [{ feature, health }];
    }),
  };
}
