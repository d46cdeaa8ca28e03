import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Access } from '../../../control-plane/access/access.ts';
import { NodeLimits } from '../../../control-plane/access/node-limits.ts';
import type { Permit, Report } from '../../../control-plane/contract/report.ts';
import type { ServiceState } from '../../../control-plane/domain/model.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { Lead } from '../../../control-plane/fleet/lead.ts';
import { takeEvidence } from '../../../control-plane/fleet/report.ts';
import { Fleet } from '../../../control-plane/fleet.ts';
import { Metrics } from '../../../control-plane/metrics.ts';
import { Replicas } from '../../../control-plane/replicas/replicas.ts';
import { Ticker } from '../../../control-plane/ticker.ts';
import { featureReport, policyOf, report, serviceOf, T0 } from '../domain/fixtures.ts';
import { randomFrom } from '../domain/simulated-fleet.ts';
import { SharedMemory } from './shared-memory.ts';

const STEP_MS = 50;
const REPORT_MS = 1000;
const PROBE_MS = 4000;
const BUDGET = 3;

/** What happens to whom, and when. */
interface Event {
  readonly atMs: number;
  /** stop: the lead is given back at once, as at the end of a process that was asked to end; a granter: right after it has granted. */
  readonly kind: 'kill' | 'cut' | 'mend' | 'kill-leader' | 'cut-leader' | 'stop-leader' | 'stop-granter';
  readonly replica: number;
}

interface Run {
  readonly seed: number;
  readonly replicas: number;
  readonly proxies: number;
  readonly lossPercent: number;
  readonly delayMs: number;
  readonly events: readonly Event[];
}

const runs: fc.Arbitrary<Run> = fc.record({
  seed: fc.integer(),
  replicas: fc.integer({ min: 2, max: 3 }),
  proxies: fc.integer({ min: 1, max: 5 }),
  lossPercent: fc.constantFrom(0, 10, 50),
  delayMs: fc.constantFrom(1, 100, 400, 3000),
  events: fc.array(
    fc.record({
      atMs: fc.integer({ min: 1000, max: 50_000 }),
      kind: fc.constantFrom('kill', 'cut', 'mend', 'kill-leader', 'cut-leader', 'stop-leader', 'stop-granter'),
      replica: fc.nat(2),
    }),
    { maxLength: 6 },
  ),
});

/** A service whose feature is DISABLED and probing, at an upstream that stays down. */
function probing(): ServiceState {
  const policy = policyOf(
    [{ name: 'catalog', breaker: { halfOpen: { timeoutMs: PROBE_MS } }, recovery: { probes: 3, backoff: { baseMs: 500, capMs: 2000 } } }],
    {
      recovery: { probesInFlight: BUDGET, probesPerSecond: 10 },
    },
  );
  const state = serviceOf(policy);
  const record = state.features['catalog']!;
  const recovery = newRecovery(record, T0, { because: 'test' }, { phase: 'probing', sampleFromMs: T0 });
  return { ...state, version: 1, features: { catalog: { ...record, state: 'DISABLED', admit: 0, step: 5, recovery } } };
}

/** A proxy that spends its permits as soon as it may, and asks another replica each time. */
class Prober {
  readonly node: string;
  permits = 0;
  probes = 0;
  private untilMs = 0;
  private inFlight: number[] = [];
  private sequence = 0;
  private admitted = 0;
  private failed = 0;
  /** Of a permit that lies there to be used within one step. */
  private readonly eagerness: number;
  private readonly random: () => number;

  constructor(node: string, random: () => number) {
    this.node = node;
    this.random = random;
    this.eagerness = random() < 0.5 ? 0.02 : 0.3;
  }

  get atUpstream(): number {
    return this.inFlight.length;
  }

  live(nowMs: number): void {
    const over = this.inFlight.filter((endMs) => endMs <= nowMs);
    this.failed += over.length;
    this.inFlight = this.inFlight.filter((endMs) => endMs > nowMs);
    if (nowMs >= this.untilMs) this.permits = 0;
    if (this.permits === 0 || this.random() > this.eagerness) return;
    this.permits--;
    this.admitted++;
    this.probes++;
    this.inFlight.push(nowMs + 20 + this.random() * (PROBE_MS - 120));
  }

  report(step: number): Report {
    this.sequence++;
    const { admitted, failed } = this;
    return report(this.sequence, [featureReport('catalog', step, { admitted, failed, refused: this.sequence })], {
      node: this.node,
      instance: `${this.node}-1`,
      uptimeMs: 60_000 + this.sequence * REPORT_MS,
      intervalMs: REPORT_MS,
    });
  }

  take(permits: readonly Permit[], nowMs: number): void {
    for (const { count, ttlMs } of permits) {
      this.permits = count;
      this.untilMs = nowMs + ttlMs;
    }
  }
}

async function replicaOf(shared: SharedMemory, name: string, random: () => number) {
  const store = shared.storeOf(name);
  const clock = () => Date.now();
  const log = pino({ level: 'silent' });
  const metrics = new Metrics();
  const fleet = new Fleet({ store, clock, random, log, metrics, maxWatchers: 0 });
  const lead = new Lead({ store, clock, holder: name, log });
  const access = await Access.load({ store, clock, given: [] });
  const nodeLimits = new NodeLimits({ nodesPerAddress: null, nodesPerToken: null });
  const replicas = new Replicas({ fleet, store, bus: store.bus!, lead, access, nodeLimits, metrics, log });
  const ticker = new Ticker({ fleet, lead, log, metrics, everyMs: 250, listener: replicas });
  await fleet.load();
  replicas.start();
  ticker.start();
  return { name, fleet, replicas, ticker };
}
type Replica = Awaited<ReturnType<typeof replicaOf>>;

/** Plays a run; tells the most probes at the upstream at one moment, and how many there were. */
async function play(run: Run): Promise<{ most: number; probes: number }> {
  const random = randomFrom(run.seed);
  const weather = () =>
    random() * 100 < run.lossPercent ? [] : random() < 0.1 ? [random() * run.delayMs, random() * run.delayMs] : [random() * run.delayMs];
  const shared = new SharedMemory(() => Date.now(), weather);
  shared.states.set('shop', probing());
  let started = 0;
  const start = () => replicaOf(shared, `r${++started}`, random);
  const replicas: Replica[] = [];
  for (let each = 0; each < run.replicas; each++) replicas.push(await start());
  const probers = Array.from({ length: run.proxies }, (_, node) => new Prober(`n${node}`, random));
  let most = 0;

  const happen = async ({ kind, replica }: Event) => {
    const leading = replicas.findIndex(({ name }) => name === shared.leader?.holder);
    const index = kind.endsWith('leader') ? Math.max(0, leading) : replica % replicas.length;
    const target = replicas[index]!;
    if (kind === 'mend') shared.mend(target.name);
    else shared.cut(target.name);
    if (kind === 'stop-leader') shared.leader = null;
    if (!kind.startsWith('kill') && kind !== 'stop-leader') return;
    target.replicas.stop();
    void target.ticker.stop();
    replicas[index] = await start();
  };

  const send = (prober: Prober) => {
    const { fleet, replicas: peers } = replicas[Math.floor(random() * replicas.length)]!;
    const { service, state } = fleet.found('shop');
    const told = prober.report(state.features['catalog']!.step);
    takeEvidence(fleet, service, state, told);
    const permits = peers.permitsFor(state, told);
    peers.relay({ service: 'shop', source: null, report: told });
    if (random() < 0.1) return; // the answer is lost
    void Promise.resolve(permits).then((given) => setTimeout(() => prober.take(given, Date.now()), random() * 200));
  };

  const granter = () => replicas.find(({ name }) => name === shared.leader?.holder);
  let doomed = false;
  for (let atMs = 0; atMs < 60_000; atMs += STEP_MS) {
    for (const event of run.events) {
      if (event.atMs < atMs || event.atMs >= atMs + STEP_MS) continue;
      if (event.kind === 'stop-granter') doomed = true;
      else await happen(event);
    }
    const grantedMs = granter()?.fleet.permits.untilMs ?? 0;
    for (const [index, prober] of probers.entries()) {
      prober.live(Date.now());
      if ((atMs + index * 150) % REPORT_MS === 0) send(prober);
    }
    most = Math.max(
      most,
      probers.reduce((total, prober) => total + prober.atUpstream, 0),
    );
    if (doomed && (granter()?.fleet.permits.untilMs ?? 0) > grantedMs) {
      doomed = false;
      await vi.advanceTimersByTimeAsync(0); // its answer is on its way
      await happen({ atMs, kind: 'stop-leader', replica: 0 });
    }
    await vi.advanceTimersByTimeAsync(STEP_MS);
  }
  for (const { replicas: peers, ticker } of replicas) {
    peers.stop();
    void ticker.stop();
  }
  return { most, probes: probers.reduce((total, { probes }) => total + probes, 0) };
}

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const RUNS = Number(process.env['LAW_RUNS'] ?? 40);

test('law: whatever the bus loses, delays and doubles, and whoever leads, dies or is cut off: probes never exceed the budget (R8)', {
  timeout: 60_000 + 3000 * RUNS,
}, async () => {
  let probes = 0;
  await fc.assert(
    fc.asyncProperty(runs, async (run) => {
      const played = await play(run);
      probes += played.probes;
      expect(played.most).toBeLessThanOrEqual(BUDGET);
    }),
    { numRuns: RUNS },
  );
  expect(probes).toBeGreaterThan(RUNS * 3);
  console.log(`law: ${RUNS} runs, ${probes} probes`);
});
