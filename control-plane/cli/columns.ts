import type { AuditView } from '../contract/rest/audit.ts';
import type { FeatureView } from '../contract/rest/features.ts';
import type { PolicySummary } from '../contract/rest/policies.ts';
import type { ProxyView } from '../contract/rest/proxies.ts';
import type { RecoverySummary } from '../contract/rest/recoveries.ts';
import type { ServiceSummary } from '../contract/rest/services.ts';
import type { Cell, Column, Tone } from './output/table.ts';
import { momentOf, percentOf, plural, reasonOf, spanOf } from './output/words.ts';

const STATE_TONES: Readonly<Record<string, Tone>> = { ENABLED: 'good', TESTING: 'warning', DISABLED: 'bad' };
const HEALTH_TONES: Readonly<Record<string, Tone>> = { HEALTHY: 'good', DEGRADED: 'warning', UNHEALTHY: 'bad' };

export function stateCell(state: string): Cell {
  return { text: state, tone: STATE_TONES[state] ?? 'plain' };
}

function healthCell(health: string): Cell {
  return { text: health, tone: HEALTH_TONES[health] ?? 'plain' };
}

/** What a feature's people want to know first. */
export function featureColumns(nowMs: number): Column<FeatureView>[] {
  return [
    { title: 'FEATURE', cell: ({ name }) => name },
    { title: 'STATE', cell: ({ state }) => stateCell(state) },
    { title: 'ADMIT', cell: ({ admit }) => percentOf(admit) },
    { title: 'HEALTH', cell: ({ health }) => healthCell(health) },
    { title: 'REQ/S', cell: ({ rates }) => rates.requests.toFixed(1) },
    { title: 'DEGRADED/S', cell: ({ rates: { degraded } }) => (degraded.stale + degraded.cluster + degraded.static).toFixed(1) },
    { title: 'SINCE', cell: ({ sinceMs }) => spanOf(nowMs - sinceMs) },
    { title: 'RECOVERY', cell: (feature) => recoveryWords(feature, nowMs) },
    { title: 'WHY', cell: whyWords },
  ];
}

function recoveryWords({ recovery }: FeatureView, nowMs: number): string {
  if (!recovery) return '';
  const { phase, attempt, stepPercent, nextAttemptAtMs } = recovery;
  const step = stepPercent === null ? '' : ` ${stepPercent}%`;
  const wait = nextAttemptAtMs > nowMs ? `, next in ${spanOf(nextAttemptAtMs - nowMs)}` : '';
  const failed = attempt > 0 ? `, ${plural(attempt, 'failed attempt')}` : '';
  return `${phase}${step}${failed}${wait}`;
}

/** What holds a feature down, or else what its health rests on. */
function whyWords({ state, override, recovery, reason, healthReason, suspects }: FeatureView): string {
  const alone = suspects.length > 0 ? `; fails alone: ${suspects.join(', ')}` : '';
  if (override) return `${override.kind} by ${override.author}: ${override.reason}${alone}`;
  const main = recovery?.reason ?? (state === 'ENABLED' ? healthReason : reason);
  return reasonOf(main) + alone;
}

export const policyColumns: Column<PolicySummary>[] = [
  { title: 'SERVICE', cell: ({ service }) => service },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'AUTOPILOT', cell: ({ autopilot }) => autopilot },
  { title: 'FEATURES', cell: ({ features }) => String(features) },
  { title: 'REVISION', cell: ({ revision }) => String(revision) },
];

export const serviceColumns: Column<ServiceSummary>[] = [
  { title: 'SERVICE', cell: ({ service }) => service },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'PROXIES', cell: ({ proxies }) => String(proxies) },
  { title: 'ENABLED', cell: ({ features }) => String(features.ENABLED) },
  { title: 'TESTING', cell: ({ features }) => tinted(features.TESTING, 'warning') },
  { title: 'DISABLED', cell: ({ features }) => tinted(features.DISABLED, 'bad') },
  { title: 'RECOVERY', cell: ({ recovering }) => recovering ?? '' },
];

const tinted = (count: number, tone: Tone): Cell => ({ text: String(count), tone: count > 0 ? tone : 'plain' });

export const proxyColumns: Column<ProxyView>[] = [
  { title: 'NODE', cell: ({ node }) => node },
  { title: 'VERSION', cell: ({ version }) => version },
  { title: 'UP', cell: ({ uptimeMs }) => spanOf(uptimeMs) },
  { title: 'LAST REPORT', cell: ({ lastReportAgeMs }) => spanOf(lastReportAgeMs) },
  { title: 'GOVERNED', cell: ({ governed }) => (governed ? 'yes' : 'no') },
  {
    title: 'REVISION',
    cell: ({ revision, isCurrent }) => ({
      text: `${revision ?? 'none'}${isCurrent ? '' : ' (old)'}`,
      tone: isCurrent ? 'plain' : 'warning',
    }),
  },
  { title: 'REJECTED', cell: ({ rejected }) => (rejected && rejected.count > 0 ? `${rejected.count}: ${rejected.reason}` : '') },
  { title: 'NOT CLOSED', cell: ({ breakers }) => notClosed(breakers) },
];

function notClosed(breakers: ProxyView['breakers']): string {
  return Object.entries(breakers)
    .filter(([, phase]) => phase !== 'CLOSED')
    .map(([feature, phase]) => `${feature} ${phase}`)
    .join(', ');
}

export function recoveryColumns(nowMs: number): Column<RecoverySummary>[] {
  return [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'STARTED', cell: ({ startedAtMs }) => momentOf(startedAtMs) },
    { title: 'BY', cell: ({ startedBy }) => startedBy },
    { title: 'TOOK', cell: ({ startedAtMs, endedAtMs }) => spanOf((endedAtMs ?? nowMs) - startedAtMs) },
    { title: 'PAUSED', cell: ({ pausedMs }) => (pausedMs > 0 ? spanOf(pausedMs) : '') },
    { title: 'RESULT', cell: ({ result }) => result ?? 'running' },
    { title: 'PLAN', cell: ({ plan }) => plan.map((wave) => wave.join(', ')).join(' > ') },
  ];
}

export const auditColumns: Column<AuditView>[] = [
  { title: 'WHEN', cell: ({ atMs }) => momentOf(atMs) },
  { title: 'WHO', cell: ({ actor }) => actor },
  { title: 'WHAT', cell: ({ action }) => action },
  { title: 'FEATURE', cell: ({ feature }) => feature ?? '' },
  { title: 'CHANGE', cell: changeWords },
  { title: 'WHY', cell: ({ reason }) => reasonOf(reason) },
];

function changeWords({ from, to }: AuditView): string {
  const side = (value: AuditView['from']) => (value ? `${value.state} ${percentOf(value.admit)}` : '');
  return from && to ? `${side(from)} → ${side(to)}` : side(to ?? from);
}
