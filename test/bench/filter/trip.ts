import { parseMarker } from '../../../envoy/demo/load.ts';
import { freePorts } from '../../../envoy/demo/ports.ts';
import { startStage } from '../../../envoy/demo/stage.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { type Connection, connectToBoth } from '../../e2e/connection.ts';
import { catalogPolicy, standAlone } from '../../e2e/plugin.ts';
import { atMost, ms, type Section } from './figure.ts';
import { quantile } from './statistics.ts';

const item = '/catalog/items/1';
const failuresToTrip = 3;
/** The upstream spares this request. */
const spared = { headers: { 'x-shop': 'ok' } };

/** From the failure that trips a feature on one worker until the other worker refuses its requests. */
export async function tripSpread(folder: string, rounds: number): Promise<Section> {
  const lags = await measureLags(folder, rounds);
  const [p50 = NaN, p99 = NaN, worst = NaN] = [0.5, 0.99, 1].map((share) => quantile(lags, share));
  return {
    title: 'A trip reaches all workers',
    text: `Two workers, ${rounds} trips, from the client's side: p50 ${ms(p50)}, p99 ${ms(p99)}, worst ${ms(worst)}.`,
    header: [],
    rows: [],
    figures: [atMost('trip seen by the other worker, p99', p99, 100, ms)],
  };
}

async function measureLags(folder: string, rounds: number): Promise<number[]> {
  const breaker = { minimumRequests: 1000, consecutiveFailures: failuresToTrip, openMs: 200, openCapMs: 200, jitter: 'none', rampMs: 0 };
  const halfOpen = { probes: 1, successPercent: 100, timeoutMs: 1000 };
  const plugin = standAlone(catalogPolicy({ ...breaker, halfOpen }));
  const stage = await startStage({
    ports: await freePorts(),
    folder,
    controlPlane: false,
    plugin,
    onDeath: console.error,
  });
  try {
    const [first, second] = await connectToBoth(stage);
    stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
    const lags: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [tripping, obeying] = round % 2 === 0 ? [first, second] : [second, first];
      const trippedAtMs = await trip(tripping);
      lags.push((await askUntil(obeying, (reason) => reason === 'open')) - trippedAtMs);
      await Promise.all([first, second].map((connection) => askUntil(connection, (reason) => reason === null)));
    }
    for (const connection of [first, second]) connection.close();
    return lags;
  } finally {
    await stage.stop();
  }
}

/** Time of the failure that trips. */
async function trip(connection: Connection): Promise<number> {
  let atMs = NaN;
  for (let failure = 0; failure < failuresToTrip; failure++) ({ atMs } = await connection.ask(item));
  return atMs;
}

/** Asks until a reply's reason is as wanted; gives its time. */
function askUntil(connection: Connection, isSo: (reason: string | null) => boolean): Promise<number> {
  const ask = async (): Promise<number | null> => {
    const { headers, atMs } = await connection.ask(item, spared);
    return isSo(parseMarker(String(headers['rekindle'] ?? '')).reason) ? atMs : null;
  };
  return waitFor(`worker ${connection.worker} to change its mind`, ask, 5000, 1);
}
