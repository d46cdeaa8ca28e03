import type { Recovery } from '../../control-plane/domain/model.ts';
import { type Demo, type DemoOptions, openDemo } from './demo.ts';
import type { Answer } from './load.ts';
import { attemptsOf, type Check, checkOutage, type Turns } from './outage-checks.ts';
import { markedIn, sumIn } from './prometheus.ts';
import { readFeatures, readLatestRecovery } from './rest.ts';
import { FEATURES, type ShopFeature } from './shop-mode.ts';
import { firstOf, nap, waitFor } from './wait.ts';

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
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), deadlineMs);
  const options = { ...given, end: firstOf(given.end, deadline.signal) };
  try {
    return await observeOutage(options);
  } finally {
    clearTimeout(timer);
  }
}

async function observeOutage(options: DemoOptions): Promise<Check[]> {
  const answers: Answer[] = [];
  const arrivals: { feature: ShopFeature; atMs: number }[] = [];
  const startedAtMs = performance.now();
  const tell = (what: string): void => options.say(`${((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(5)} s  ${what}`);
  const demo = await openDemo(options, (answer) => answers.push(answer));
  demo.stage.shop.onArrival(({ feature, atMs }) => arrivals.push({ feature, atMs }));
  try {
    const controlPlane = options.replicas === 2 ? 'two replicas of the control plane' : 'control plane';
    tell(`healthy: Envoy ${demo.stage.envoyVersion}, ${controlPlane}, shop and load are up`);
    const turns = await takeCourse(demo, tell);
    const recovery = await latestRecovery(demo);
    await demo.stopLoad();
    await nap(flushMs, demo.end);
    const [samples, traps] = await Promise.all([demo.stage.envoy.metrics(), demo.stage.envoy.traps()]);
    return checkOutage({ ...turns, answers, arrivals, recovery, samples, traps });
  } finally {
    tellRecovery(await latestRecovery(demo).catch(() => null), options.say);
    await demo.close();
  }
}

/** Healthy, outage, recovery, calm. Throws when a turn does not come in time. */
async function takeCourse(demo: Demo, tell: (what: string) => void): Promise<Turns> {
  await nap(ageToVoteMs, demo.end);

  tell('catalog fails at the shop, and with it recommendations');
  demo.stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  const failedAtMs = performance.now();
  await until(demo, 'catalog to trip', 5000, () => isTripped(demo, 'catalog'));
  tell('the proxy has tripped catalog: clients get stale or static answers');
  await until(demo, 'the fleet to open all three', 10_000, () => allFlagged(demo, 'DISABLED'));
  tell('the control plane has opened catalog, checkout and recommendations fleet-wide');
  const openedAtMs = performance.now();

  await nap(outageMs, demo.end);
  await until(demo, 'three probe attempts', 12_000, async () => attemptsOf(await latestRecovery(demo)).length >= 3);
  tell('the shop heals');
  demo.stage.shop.setMode('catalog', { mode: 'ok' });
  const healedAtMs = performance.now();

  for (const feature of FEATURES) {
    await until(demo, `${feature} to be ENABLED`, 30_000, () => isEnabled(demo, feature));
    tell(`${feature} is ENABLED`);
  }
  await until(demo, 'the filter to follow', 3000, () => allFlagged(demo, 'ENABLED'));
  tell('all features are ENABLED at the proxy');
  const recoveredAtMs = performance.now();

  await nap(calmMs, demo.end);
  await until(demo, 'the recovery to end', 5000, async () => ((await latestRecovery(demo))?.endedAtMs ?? null) !== null);
  tell('the recovery has ended');
  return { failedAtMs, openedAtMs, healedAtMs, recoveredAtMs };
}

/** Waits for one turn of the course; an early end, or a dead server, ends the scenario. */
async function until(demo: Demo, what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const ask = async (): Promise<'so' | 'ended' | null> => {
    if (demo.end.aborted) return 'ended';
    return (await isSo()) ? 'so' : null;
  };
  if ((await waitFor(what, ask, timeoutMs)) === 'ended') throw new Error(demo.death() ?? `ended while waiting for ${what}`);
}

/** Whether the proxy, or already the fleet, keeps the feature from the shop. */
async function isTripped(demo: Demo, feature: ShopFeature): Promise<boolean> {
  const samples = await demo.stage.envoy.metrics();
  const labels = { service: 'shop', feature };
  return (
    sumIn(samples, 'rekindle_transitions_total', { ...labels, to: 'OPEN' }) > 0 ||
    markedIn(samples, 'rekindle_feature_state', labels, 'state') === 'DISABLED'
  );
}

/** Whether the proxy holds this flag for every feature. */
async function allFlagged(demo: Demo, state: string): Promise<boolean> {
  const samples = await demo.stage.envoy.metrics();
  return FEATURES.every((feature) => markedIn(samples, 'rekindle_feature_state', { service: 'shop', feature }, 'state') === state);
}

async function isEnabled(demo: Demo, feature: ShopFeature): Promise<boolean> {
  const features = await readFeatures(demo.stage.ports.controlPlane, 'shop');
  return features.find(({ name }) => name === feature)?.state === 'ENABLED';
}

function latestRecovery(demo: Demo): Promise<Recovery | null> {
  return readLatestRecovery(demo.stage.ports.controlPlane, 'shop');
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
