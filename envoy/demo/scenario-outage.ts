import type { Recovery } from '../../control-plane/domain/model.ts';
import { type Demo, type DemoOptions, openDemo } from './demo.ts';
import type { Answer } from './load.ts';
import { attemptsOf, type Check, checkOutage, type OutageEvidence } from './outage-checks.ts';
import { markedIn } from './prometheus.ts';
import { readFeatures, readLatestRecovery } from './rest.ts';
import { FEATURES, type ShopFeature } from './shop-mode.ts';
import { nap, waitFor } from './wait.ts';

/** A proxy has a vote in opening a feature fleet-wide when it is 10 s old (R10). */
const ageToVoteMs = 11_000;
/** The outage lasts at least so long after the fleet opened, and until catalog was probed three times. */
const outageMs = 6000;
const calmMs = 3000;

/** Whatever happens, the scenario is over by then. */
const deadlineMs = 56_000;
/** The filter writes its counters on its tick. */
const flushMs = 300;

/** Plays the outage and its recovery, prints the timeline and the checks. Gives the exit code. */
export async function playOutage(options: DemoOptions): Promise<number> {
  const checks = await runOutage(options);
  for (const { name, passed, detail } of checks) options.say(`${passed ? 'ok  ' : 'FAIL'}  ${name}: ${detail}`);
  const failed = checks.filter(({ passed }) => !passed).length;
  options.say(failed === 0 ? 'The outage took the course that it should.' : `${failed} of ${checks.length} checks failed.`);
  return failed === 0 ? 0 : 1;
}

/** Plays the outage and holds it against its expected course. */
export async function runOutage(given: DemoOptions): Promise<Check[]> {
  const options = { ...given, end: AbortSignal.any([given.end, AbortSignal.timeout(deadlineMs)]) };
  const answers: Answer[] = [];
  const openedAtMs = performance.now();
  const demo = await openDemo(options, (answer) => answers.push(answer));
  const { ports } = options;
  const latest = (): Promise<Recovery | null> => readLatestRecovery(ports.controlPlane, 'shop');
  const tell = (what: string): void => options.say(`${((performance.now() - openedAtMs) / 1000).toFixed(1).padStart(5)} s  ${what}`);
  const arrivals: { feature: ShopFeature; atMs: number }[] = [];
  demo.stage.shop.onArrival(({ feature, atMs }) => arrivals.push({ feature, atMs }));
  try {
    tell(`healthy: Envoy ${demo.stage.envoyVersion}, control plane, shop and load are up`);
    await nap(ageToVoteMs, demo.end);

    tell('catalog fails at the shop, and with it recommendations');
    demo.stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
    const failedAtMs = performance.now();
    await until(demo, 'catalog to trip', 5000, async () => (await phaseOf(demo, 'catalog')) !== 'CLOSED');
    tell('catalog is not CLOSED at the proxy any more: clients get stale or static answers');

    await until(demo, 'the fleet to open all three', 10_000, () => allFlagged(demo, 'DISABLED'));
    const allOpenAtMs = performance.now();
    tell('the control plane has opened catalog, checkout and recommendations fleet-wide');

    await nap(outageMs, demo.end);
    await until(demo, 'three probe attempts', 12_000, async () => attemptsOf(await latest()).length >= 3);
    tell('the shop heals');
    demo.stage.shop.setMode('catalog', { mode: 'ok' });
    const healedAtMs = performance.now();

    for (const feature of FEATURES) {
      await until(demo, `${feature} to be ENABLED`, 20_000, async () => (await stateAt(ports.controlPlane, feature)) === 'ENABLED');
      tell(`${feature} is ENABLED`);
    }
    await until(demo, 'the filter to follow', 3000, () => allFlagged(demo, 'ENABLED'));
    const recoveredAtMs = performance.now();
    tell('all features are ENABLED at the proxy');
    await nap(calmMs, demo.end);
    await until(demo, 'the recovery to end', 5000, async () => (await latest())?.endedAtMs != null);
    const recovery = await latest();
    tell(`the recovery has ended: ${recovery?.result}`);
    await demo.stopLoad();
    await nap(flushMs, demo.end);
    const samples = await demo.stage.envoy.metrics();

    tellRecovery(recovery, options.say);
    const evidence: OutageEvidence = {
      answers,
      arrivals,
      samples,
      recovery,
      failedAtMs,
      openedAtMs: allOpenAtMs,
      healedAtMs,
      recoveredAtMs,
    };
    return checkOutage(evidence);
  } finally {
    await demo.close();
  }
}

/** Waits for one turn of the course; an early end, or a dead server, ends the scenario. */
async function until(demo: Demo, what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const ask = async (): Promise<'so' | 'ended' | null> => {
    if (demo.end.aborted) return 'ended';
    return (await isSo()) ? 'so' : null;
  };
  if ((await waitFor(what, ask, timeoutMs)) === 'ended') throw new Error(demo.death() ?? `ended while waiting for ${what}`);
}

async function phaseOf(demo: Demo, feature: ShopFeature): Promise<string | null> {
  return markedIn(await demo.stage.envoy.metrics(), 'rekindle_breaker_phase', { service: 'shop', feature }, 'phase');
}

/** Whether the proxy holds this flag for every feature. */
async function allFlagged(demo: Demo, state: string): Promise<boolean> {
  const samples = await demo.stage.envoy.metrics();
  return FEATURES.every((feature) => markedIn(samples, 'rekindle_feature_state', { service: 'shop', feature }, 'state') === state);
}

async function stateAt(controlPlanePort: number, feature: ShopFeature): Promise<string | null> {
  return (await readFeatures(controlPlanePort, 'shop')).find(({ name }) => name === feature)?.state ?? null;
}

/** The control plane's own account of the recovery. */
function tellRecovery(recovery: Recovery | null, say: (text: string) => void): void {
  if (recovery === null) return;
  say(`\nThe recovery as the control plane kept it (${recovery.id}):`);
  for (const { atMs, feature, event, reason } of recovery.timeline) {
    const numbers = Object.entries(reason.numbers ?? {}).map(
      ([name, value]) => `${name}=${typeof value === 'number' ? Math.round(value) : value}`,
    );
    const since = ((atMs - recovery.startedAtMs) / 1000).toFixed(1).padStart(5);
    say(`${since} s  ${(feature ?? '').padEnd(16)} ${event.padEnd(18)} ${reason.because} ${numbers.join(' ')}`.trimEnd());
  }
  say('');
}
