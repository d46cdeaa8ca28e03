import { LIMITS } from '../contract/limits.ts';
import type { Permit, Report, ReportReply } from '../contract/report.ts';
import { isGoverning } from '../domain/flags.ts';
import type { ServiceState } from '../domain/model.ts';
import { saying, TooManyProxies } from '../errors.ts';
import type { Fleet } from '../fleet.ts';
import type { FleetService } from './service.ts';

/** Takes what a proxy saw into evidence and history. A repeated report changes nothing (R9). */
export function takeEvidence(fleet: Fleet, service: FleetService, state: ServiceState, report: Report): 'accepted' | 'duplicate' {
  const nowMs = fleet.clock();
  const { status, deltas, silentAfterMs } = service.bookOf(state).record(report, nowMs);
  if (status === 'refused') throw saying(new TooManyProxies(service.name), { retryAfterSeconds: 60 });
  if (status === 'accepted') fleet.history.record({ service: service.name, node: report.node, silentAfterMs, deltas }, nowMs);
  return status;
}

/** The answer to a report, with its permits (R2, R8). */
export function replyTo(fleet: Fleet, service: FleetService, report: Report, permits: readonly Permit[]): ReportReply {
  const { state } = service;
  const age = state && isGoverning(state) ? service.governorAgeMs(fleet.clock()) : null;
  return {
    lineage: service.directive.name.lineage,
    revision: service.stored.revision,
    governorAgeMs: Math.min(Math.round(age ?? LIMITS.durationMs), LIMITS.durationMs),
    permits: [...permits],
    health: state ? healthOf(state, report) : [],
  };
}

function healthOf(state: ServiceState, { features }: Report): ReportReply['health'] {
  const told: ReportReply['health'] = [];
  for (const { feature } of features) {
    const health = state.features[feature]?.health;
    if (health !== undefined) told.push({ feature, health });
  }
  return told;
}
