import { isSick } from './feature.ts';
import type { FeatureRecord, ServiceState } from './model.ts';

const lively = new WeakMap<ServiceState, ReadonlySet<string>>();

/**
 * Features that a tick must look at even when no proxy tells anything of them: lowered, recovering, overridden, sick, or watched with a
 * verdict that stands. All others can only change by what proxies tell. States never change in place, so this is found once for each.
 */
export function livelyFeatures(state: ServiceState): ReadonlySet<string> {
  let names = lively.get(state);
  if (!names) {
    names = new Set(state.policy.features.map(({ name }) => name).filter((name) => isLively(state.features[name])));
    lively.set(state, names);
  }
  return names;
}

function isLively(record: FeatureRecord | undefined): boolean {
  if (!record) return false;
  const { state, recovery, override, health, reason } = record;
  return state !== 'ENABLED' || recovery !== null || override !== null || isSick(health) || reason.because === 'would-open';
}
