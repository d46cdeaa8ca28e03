import { LIMITS } from '../contract/limits.ts';
import type { Report, ReportReply } from '../contract/report.ts';
import { isGoverning } from '../domain/flags.ts';
import type { ServiceState } from '../domain/model.ts';
import { saying, TooManyProxies } from '../errors.ts';
import type { Fleet } from '../fleet.ts';

/** Takes the report of a proxy. A repeated one changes nothing and gets the same permits (R8, R9). */
export function takeReport(fleet: Fleet, name: string, report: Report): { status: 'accepted' | 'duplicate'; answer: ReportReply } {
  const { service, state } = fleet.found(name);
  const nowMs = fleet.clock();
  const { status, deltas, silentAfterMs } = service.bookOf(state).record(report, nowMs);
  if (status === 'refused') throw saying(new TooManyProxies(name), { retryAfterSeconds: 60 });
  if (status === 'accepted') fleet.history.record({ service: name, node: report.node, silentAfterMs, deltas }, nowMs);
  const permits = fleet.permits.grant(state, report, nowMs, service.suspects);
  const age = isGoverning(state) ? service.governorAgeMs(nowMs) : null;
  const answer = {
    lineage: service.directive.name.lineage,
    revision: state.revision,
    governorAgeMs: Math.min(Math.round(age ?? LIMITS.durationMs), LIMITS.durationMs),
    permits,
    health: healthOf(state, report),
  };
  return { status, answer };
}

function healthOf(state: ServiceState, { features }: Report): ReportReply['health'] {
  const told: ReportReply['health'] = [];
  for (const { feature } of features) {
    const health = state.features[feature]?.health;
    if (health !== undefined) told.push({ feature, health });
  }
  return told;
}
