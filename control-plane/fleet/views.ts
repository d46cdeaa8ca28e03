import type { Feature } from '../contract/policy.ts';
import type { FeatureView } from '../contract/rest/features.ts';
import type { ProxyView } from '../contract/rest/proxies.ts';
import type { RecoverySummary } from '../contract/rest/recoveries.ts';
import type { ServiceSummary, ServiceView } from '../contract/rest/services.ts';
import type { FleetView, FeatureView as Seen } from '../domain/evidence.ts';
import { effectiveMode } from '../domain/feature.ts';
import { effectiveFlag, isGoverning } from '../domain/flags.ts';
import type { FeatureRecord, FeatureRecovery, LiveReasons, Override, Reason, Recovery, ServiceState } from '../domain/model.ts';
import { pausedMs } from '../domain/recovery/running.ts';
import type { FleetService } from './service.ts';

const NOTHING_SEEN: Seen = {
  requestsPerSecond: 0,
  admittedPerSecond: 0,
  failedPerSecond: 0,
  degradedPerSecond: { stale: 0, cluster: 0, static: 0 },
  phases: {},
};

export function summaryOf(service: FleetService, state: ServiceState, nowMs: number): ServiceSummary {
  const features = { ENABLED: 0, TESTING: 0, DISABLED: 0 };
  for (const record of Object.values(state.features)) features[effectiveFlag(record).state]++;
  const proxies = service.bookOf(state).view(nowMs).proxies.length;
  return {
    service: state.service,
    mode: state.policy.mode,
    revision: state.revision,
    proxies,
    features,
    recovering: running(state)?.id ?? null,
  };
}

export function serviceView(service: FleetService, state: ServiceState, nowMs: number): ServiceView {
  const seen = service.bookOf(state).view(nowMs);
  const { mode, autopilot } = state.policy;
  return {
    service: state.service,
    mode,
    autopilot,
    ...service.directive.name,
    policyRevision: state.policyRevision,
    proxies: seen.proxies.length,
    knownProxies: state.nodes.length,
    governing: isGoverning(state),
    holding: service.holding,
    recovering: running(state)?.id ?? null,
    features: viewsOf(service, state, seen),
  };
}

export function featureViews(service: FleetService, state: ServiceState, nowMs: number): FeatureView[] {
  return viewsOf(service, state, service.bookOf(state).view(nowMs));
}

export function proxyViews(service: FleetService, state: ServiceState, nowMs: number): ProxyView[] {
  const { proxies } = service.bookOf(state).view(nowMs);
  return proxies
    .map(({ phases, ...proxy }) => ({ ...proxy, isCurrent: proxy.revision === state.revision, breakers: phases }))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** The recovery that runs, or null. */
export function running({ recovery }: ServiceState): Recovery | null {
  return recovery && recovery.endedAtMs === null ? recovery : null;
}

export function recoverySummary(recovery: Recovery, nowMs: number): RecoverySummary {
  const { timeline: _timeline, pauses: _pauses, ...summary } = recovery;
  return { ...summary, plan: summary.plan.map((wave) => [...wave]), pausedMs: pausedMs(recovery, nowMs) };
}

/** A recovery with its timeline. */
export function recoveryDetail(recovery: Recovery, nowMs: number): Recovery & { readonly pausedMs: number } {
  return { ...recovery, pausedMs: pausedMs(recovery, nowMs) };
}

function viewsOf(service: FleetService, state: ServiceState, seen: FleetView): FeatureView[] {
  return state.policy.features.flatMap((feature) => {
    const record = state.features[feature.name];
    if (!record) return [];
    const suspects = [...(service.suspects[feature.name] ?? [])];
    return [featureView(state, feature, record, seen.features[feature.name] ?? NOTHING_SEEN, service.live[feature.name], suspects)];
  });
}

function featureView(
  state: ServiceState,
  feature: Feature,
  record: FeatureRecord,
  seen: Seen,
  live: LiveReasons | undefined,
  suspects: string[],
): FeatureView {
  const { step, sinceMs, reason, health, healthSinceMs, healthReason, override, recovery } = record;
  return {
    name: feature.name,
    priority: feature.priority,
    mode: effectiveMode(state.policy, feature),
    dependsOn: feature.dependsOn.map((dependency) => dependency.feature),
    ...effectiveFlag(record),
    step,
    sinceMs,
    reason,
    health,
    healthSinceMs,
    healthReason: live?.health ?? (health === 'HEALTHY' && seen.requestsPerSecond === 0 ? quiet(feature) : healthReason),
    override: override && overrideView(override),
    recovery: recovery && recoveryView(feature, recovery, live),
    breakers: seen.phases,
    rates: {
      requests: seen.requestsPerSecond,
      admitted: seen.admittedPerSecond,
      failed: seen.failedPerSecond,
      degraded: seen.degradedPerSecond,
    },
    suspects,
  };
}

/** The ticker says nothing of a healthy feature without traffic: what it was judged by is no longer so. */
function quiet({ health }: Feature): Reason {
  return { because: 'too-few-samples', numbers: { samples: 0, needed: health.minimumRequests, health: 'HEALTHY' } };
}

function overrideView({ kind, admit, reason, author, createdAtMs, expiresAtMs }: Override): FeatureView['override'] {
  return { kind, ...(admit === undefined ? {} : { admit }), reason, author, createdAtMs, expiresAtMs };
}

function recoveryView({ recovery: settings }: Feature, recovery: FeatureRecovery, live: LiveReasons | undefined): FeatureView['recovery'] {
  const { phase, attempt, nextAttemptAtMs, rampIndex, passedIndex, outageStartedAtMs, reason } = recovery;
  const percentAt = (index: number) => settings.rampPercent[index] ?? null;
  return {
    phase,
    attempt,
    nextAttemptAtMs,
    stepPercent: percentAt(rampIndex),
    passedPercent: percentAt(passedIndex),
    outageStartedAtMs,
    reason: live?.recovery ?? reason,
  };
}
