/** Series by selector, each with its values in promtool's notation, one sample every 15 s: `1+0x8` is nine times 1. */
export type Input = Readonly<Record<string, string>>;

/** When an alert must be there, and what looks like it and must not raise it. */
export interface AlertCase {
  readonly alert: string;
  /** How long after the first sample it must be there. */
  readonly at: string;
  readonly fires: Input;
  /** Labels of the alert beside its severity. */
  readonly labels: Readonly<Record<string, string>>;
  /** The value as the description writes it. */
  readonly figure?: string;
  readonly quiet: Readonly<Record<string, Input>>;
}

const shop = { service: 'shop' };
const catalog = { service: 'shop', feature: 'catalog' };
const of = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
const at = (instance: string, labels: Readonly<Record<string, string>> = shop) => ({ instance, ...labels });

export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'RekindleFeatureOpen',
    at: '2m',
    fires: {
      [of('rekindle_admit_ratio', at('a', catalog))]: '0x20',
      [of('rekindle_admit_ratio', at('b', catalog))]: '0x20',
      [of('rekindle_admit_ratio', at('c', catalog))]: '10000x20',
    },
    labels: catalog,
    figure: '33.33%',
    quiet: {
      'one proxy of three keeps it from the upstream': {
        [of('rekindle_admit_ratio', at('a', catalog))]: '0x20',
        [of('rekindle_admit_ratio', at('b', catalog))]: '10000x20',
        [of('rekindle_admit_ratio', at('c', catalog))]: '10000x20',
      },
      'a short trip': { [of('rekindle_admit_ratio', catalog)]: '10000 0 0 10000x20' },
      'a hot restart, in which Envoy shows the sum of two processes': { [of('rekindle_admit_ratio', catalog)]: '20000x20' },
    },
  },
  {
    alert: 'RekindleUnanswered',
    at: '10m',
    fires: {
      [of('rekindle_degraded_total', { ...catalog, rung: 'none', reason: 'open' })]: '0+3x50',
      [of('rekindle_requests_total', { ...catalog, outcome: 'refused' })]: '0+10x50',
      [of('rekindle_requests_total', { ...catalog, outcome: 'success' })]: '0+20x50',
    },
    labels: catalog,
    figure: '10%',
    quiet: {
      'a rung answers': {
        [of('rekindle_degraded_total', { ...catalog, rung: 'stale', reason: 'open' })]: '0+30x50',
        [of('rekindle_requests_total', { ...catalog, outcome: 'refused' })]: '0+30x50',
      },
      'one in a thousand': {
        [of('rekindle_degraded_total', { ...catalog, rung: 'none', reason: 'failure' })]: '0+1x50',
        [of('rekindle_requests_total', { ...catalog, outcome: 'success' })]: '0+1000x50',
      },
    },
  },
  {
    alert: 'RekindleFlapping',
    at: '60m',
    fires: { [of('rekindle_transitions_total', at('a', { ...catalog, to: 'OPEN' }))]: '0x40 8x200' },
    labels: catalog,
    figure: '8',
    quiet: {
      'many proxies that trip once': Object.fromEntries(
        ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((proxy) => [
          of('rekindle_transitions_total', at(proxy, { ...catalog, to: 'OPEN' })),
          '0x40 1x200',
        ]),
      ),
      'other phases': { [of('rekindle_transitions_total', at('a', { ...catalog, to: 'CLOSED' }))]: '0x40 8x200' },
    },
  },
  {
    alert: 'RekindleProxySuspect',
    at: '6m',
    fires: { [of('rekindle_suspects', at('cp-1'))]: '1x30', [of('rekindle_suspects', at('cp-2'))]: '0x30' },
    labels: shop,
    figure: '1',
    quiet: { 'it was a moment': { [of('rekindle_suspects', shop)]: '1x8 0x30' } },
  },
  {
    alert: 'RekindleOverrideForgotten',
    at: '245m',
    fires: { [of('rekindle_overrides', shop)]: '2x1000' },
    labels: shop,
    figure: '2',
    quiet: { 'it was lifted in time': { [of('rekindle_overrides', shop)]: '2x800 0x300' } },
  },
  {
    alert: 'RekindleRecoveryStuck',
    at: '2m',
    fires: {
      [of('rekindle_recovery_features', at('cp-1', { ...shop, phase: 'held' }))]: '1x20',
      [of('rekindle_recovery_features', at('cp-2', { ...shop, phase: 'held' }))]: '1x20',
    },
    labels: { ...shop, phase: 'held' },
    figure: '1',
    quiet: { 'a recovery on its way': { [of('rekindle_recovery_features', { ...shop, phase: 'waiting' })]: '3x20' } },
  },
  {
    alert: 'RekindleRecoverySlow',
    at: '31m',
    fires: { [of('rekindle_recovering', shop)]: '1x200' },
    labels: shop,
    quiet: { 'two short ones': { [of('rekindle_recovering', shop)]: '1x60 0x4 1x60' } },
  },
  {
    alert: 'RekindleControlPlaneLost',
    at: '3m',
    fires: {
      [of('rekindle_control_plane_connected', at('a'))]: '0x20',
      [of('rekindle_control_plane_connected', at('b'))]: '0x20',
      [of('rekindle_control_plane_connected', at('c'))]: '1x20',
    },
    labels: shop,
    figure: '2',
    quiet: {
      'a filter without a control plane has no such series': { [of('rekindle_admit_ratio', catalog)]: '10000x20' },
      'the control plane starts anew': { [of('rekindle_control_plane_connected', shop)]: '1 1 0x4 1x20' },
    },
  },
  {
    alert: 'RekindleNoLeader',
    at: '1m',
    fires: { [of('rekindle_leading', at('cp-1', {}))]: '0x10', [of('rekindle_leading', at('cp-2', {}))]: '0x10' },
    labels: {},
    quiet: {
      'another one takes over': { [of('rekindle_leading', at('cp-1', {}))]: '1 0x10', [of('rekindle_leading', at('cp-2', {}))]: '0 1x10' },
    },
  },
  {
    alert: 'RekindleTicksFailing',
    at: '4m',
    fires: { [of('rekindle_ticks_failed_total', shop)]: '0x4 5 10 15 20 25 30x10' },
    labels: shop,
    figure: '30',
    quiet: { 'a single one': { [of('rekindle_ticks_failed_total', shop)]: '0x4 1x20' } },
  },
  {
    alert: 'RekindleStoreSlow',
    at: '10m',
    fires: {
      'rekindle_commit_seconds_bucket{le="0.5"}': '0+8x50',
      'rekindle_commit_seconds_bucket{le="1"}': '0+10x50',
      'rekindle_commit_seconds_bucket{le="+Inf"}': '0+10x50',
    },
    labels: {},
    figure: '975ms',
    quiet: {
      'writes of some milliseconds': {
        'rekindle_commit_seconds_bucket{le="0.01"}': '0+10x50',
        'rekindle_commit_seconds_bucket{le="0.5"}': '0+10x50',
        'rekindle_commit_seconds_bucket{le="+Inf"}': '0+10x50',
      },
    },
  },
  {
    alert: 'RekindleUngoverned',
    at: '3m',
    fires: {
      [of('rekindle_governed', at('a'))]: '0x20',
      [of('rekindle_control_plane_connected', at('a'))]: '1x20',
      [of('rekindle_acting', at('cp-1'))]: '1x20',
      [of('rekindle_acting', at('cp-2'))]: '1x20',
    },
    labels: shop,
    figure: '1',
    quiet: {
      'each proxy recovers by itself, as the policy says': {
        [of('rekindle_governed', at('a'))]: '0x20',
        [of('rekindle_control_plane_connected', at('a'))]: '1x20',
        [of('rekindle_acting', at('cp-1'))]: '0x20',
      },
      'the control plane is away, for which there is another alert': {
        [of('rekindle_governed', at('a'))]: '0x20',
        [of('rekindle_control_plane_connected', at('a'))]: '0x20',
        [of('rekindle_acting', at('cp-1'))]: '1x20',
      },
      'all is well': {
        [of('rekindle_governed', at('a'))]: '1x20',
        [of('rekindle_control_plane_connected', at('a'))]: '1x20',
        [of('rekindle_acting', at('cp-1'))]: '1x20',
      },
    },
  },
  {
    alert: 'RekindleDirectiveRejected',
    at: '15m',
    fires: {
      [of('rekindle_directives_rejected_total', at('a'))]: '_x45 1x60',
      [of('rekindle_directives_rejected_total', at('b'))]: '_x45 1x60',
    },
    labels: shop,
    figure: '2',
    quiet: { 'it was an hour ago': { [of('rekindle_directives_rejected_total', at('a'))]: '3x100' } },
  },
  {
    alert: 'RekindleProxyBehind',
    at: '3m',
    fires: {
      [of('rekindle_directive_revision', at('a'))]: '7x20',
      [of('rekindle_directive_revision', at('b'))]: '8x20',
      [of('rekindle_control_plane_connected', at('a'))]: '1x20',
      [of('rekindle_control_plane_connected', at('b'))]: '1x20',
      [of('rekindle_fleet_revision', at('cp-1'))]: '8x20',
      [of('rekindle_fleet_revision', at('cp-2'))]: '8x20',
    },
    labels: shop,
    figure: '1',
    quiet: {
      'they follow within a scrape': {
        [of('rekindle_directive_revision', at('a'))]: '7 7+1x20',
        [of('rekindle_control_plane_connected', at('a'))]: '1x20',
        [of('rekindle_fleet_revision', at('cp-1'))]: '7 8 8x20',
      },
      'it is cut off, for which there is another alert': {
        [of('rekindle_directive_revision', at('a'))]: '7x20',
        [of('rekindle_control_plane_connected', at('a'))]: '0x20',
        [of('rekindle_fleet_revision', at('cp-1'))]: '8x20',
      },
    },
  },
  {
    alert: 'RekindleVmReloads',
    at: '5m',
    fires: {
      [of('envoy_wasm_rekindle_inbound_vm_reload_success', at('a', {}))]: '0x4 1x20',
      [of('envoy_wasm_rekindle_inbound_vm_reload_failure', at('a', {}))]: '0x24',
      [of('envoy_wasm_demo_rekindle_shop_outbound_0_1_0_vm_reload_failure', at('a', {}))]: '0x4 1x20',
      [of('envoy_wasm_rekindle_vm_reload_success', at('b', {}))]: '0x24',
    },
    labels: { instance: 'a' },
    figure: '2',
    quiet: {
      'a proxy that started': {
        [of('envoy_wasm_rekindle_vm_reload_success', at('a', {}))]: '0x20',
        [of('envoy_wasm_rekindle_vm_reload_failure', at('a', {}))]: '0x20',
      },
      'a filter of somebody else': { [of('envoy_wasm_auth_vm_reload_success', at('a', {}))]: '0x4 1x20' },
      'one that was restarted after a trap, long ago': { [of('envoy_wasm_rekindle_vm_reload_success', at('a', {}))]: '1x4 0x20' },
    },
  },
  {
    alert: 'RekindleProxiesUnseen',
    at: '12m',
    fires: {
      [of('rekindle_proxies', at('cp-1'))]: '3x60',
      [of('rekindle_proxies', at('cp-2'))]: '3x60',
      'service___shop____rekindle_control_plane_connected{instance="a"}': '1x60',
      [of('rekindle_control_plane_connected', at('b', { service: 'other' }))]: '1x60',
    },
    labels: { service: 'shop' },
    figure: '3',
    quiet: {
      'one is scraped': {
        [of('rekindle_proxies', at('cp-1'))]: '3x60',
        [of('rekindle_control_plane_connected', at('a'))]: '0x60',
      },
      'there are none any more': { [of('rekindle_proxies', at('cp-1'))]: '0x60' },
    },
  },
  {
    alert: 'RekindleCacheFull',
    at: '35m',
    fires: {
      [of('rekindle_copies_stored_total', at('a', catalog))]: '0+10x200',
      [of('rekindle_copies_evicted_total', at('a', catalog))]: '0+5x200',
    },
    labels: catalog,
    figure: '50%',
    quiet: {
      'now and then one of a set has to go': {
        [of('rekindle_copies_stored_total', at('a', catalog))]: '0+100x200',
        [of('rekindle_copies_evicted_total', at('a', catalog))]: '0+1x200',
      },
    },
  },
  {
    alert: 'RekindleVersionsMixed',
    at: '365m',
    fires: {
      [of('rekindle_build_info', at('a', { version: '0.1.0' }))]: '1x1500',
      [of('rekindle_build_info', at('b', { version: '0.2.0' }))]: '1x1500',
      [of('rekindle_control_plane_build_info', at('cp-1', { version: '0.2.0' }))]: '1x1500',
    },
    labels: {},
    figure: '2',
    quiet: {
      'an upgrade of an hour, after which the old filter is still shown as gone': {
        [of('rekindle_build_info', at('a', { version: '0.1.0' }))]: '1x240 0x1300',
        [of('rekindle_build_info', at('a', { version: '0.2.0' }))]: '1x1500',
        [of('rekindle_control_plane_build_info', at('cp-1', { version: '0.2.0' }))]: '1x1500',
      },
    },
  },
];
