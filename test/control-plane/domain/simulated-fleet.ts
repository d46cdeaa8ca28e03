import type { Flag } from '../../../control-plane/contract/directive.ts';
import type { BreakerPhase } from '../../../control-plane/contract/names.ts';
import type { Feature, Policy } from '../../../control-plane/contract/policy.ts';
import type { Permit, Report } from '../../../control-plane/contract/report.ts';
import type { AuditEntry } from '../../../control-plane/domain/audit.ts';
import { EvidenceBook } from '../../../control-plane/domain/evidence.ts';
import { flagsOf, isGoverning } from '../../../control-plane/domain/flags.ts';
import type { Evidence, ServiceState, StepResult, TimelineEntry } from '../../../control-plane/domain/model.ts';
import { applyPolicy } from '../../../control-plane/domain/policy-change.ts';
import { ProbePermits } from '../../../control-plane/domain/probe-permits.ts';
import { coldStartHold, resume } from '../../../control-plane/domain/recovery/cold-start.ts';
import { BUILT_IN_PATTERNS, type PatternRegistry } from '../../../control-plane/domain/recovery/registry.ts';
import { step } from '../../../control-plane/domain/recovery/step.ts';
import { changeBy } from '../../../control-plane/fleet/change.ts';
import { done, featureReport, T0 } from './fixtures.ts';

/** Numbers in [0, 1) from a seed: mulberry32 by T. Ettinger. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What surrounds the fleet. Times are ms since the start of the simulation. */
export interface World {
  /** Share of requests that the upstream fails, in [0, 1]. */
  readonly failing: (feature: string, atMs: number, node: number, admit: number) => number;
  /** Requests a second at each proxy. */
  readonly rate: (feature: string, atMs: number, node: number) => number;
  /** Time until the upstream answers. */
  readonly latencyMs: (feature: string, atMs: number) => number;
  /** Whether a proxy and the control plane hear each other. */
  readonly connected: (node: number, atMs: number) => boolean;
  /** Whether a report is lost. */
  readonly lost: (node: number, sequence: number) => boolean;
  /** Whether the proxy runs; when it comes back it is a new instance. */
  readonly running: (node: number, atMs: number) => boolean;
}

const CALM: World = {
  failing: () => 0,
  rate: () => 20,
  latencyMs: () => 20,
  connected: () => true,
  lost: () => false,
  running: () => true,
};

const TICK_MS = 100;
const CONTROL_TICK_MS = 200;

/** One decision of the control plane, with what it saw. */
export interface Decision {
  readonly atMs: number;
  readonly before: ServiceState;
  readonly evidence: Evidence;
  readonly result: StepResult;
}

/** What a fleet shares with others, or has that is not built in. */
export interface Company {
  readonly permits: ProbePermits;
  readonly rampingElsewhere: () => readonly number[];
  readonly patterns: PatternRegistry;
}

/** A control plane's domain with simplified proxies around it; everything follows from the seed. */
export class SimulatedFleet {
  state: ServiceState;
  atMs = 0;
  readonly decisions: Decision[] = [];
  /** All that was audited, as the store would keep it. */
  readonly audit: AuditEntry[] = [];
  readonly timeline: (TimelineEntry & { readonly sinceStartMs: number })[] = [];
  /** Most governed probes that were at the upstream at one moment. */
  mostProbes = 0;
  /** Requests at the upstream, and those that it failed, by feature. */
  readonly served = new Map<string, { all: number; failed: number }>();
  private book: EvidenceBook;
  private permits: ProbePermits;
  private readonly company: Partial<Company>;
  private suspects: Readonly<Record<string, readonly string[]>> = {};
  private leaderSinceMs: number | null = null;
  private readonly proxies: SimulatedProxy[];
  private readonly random: () => number;
  private readonly world: World;

  constructor(policy: Policy, proxies: number, world: Partial<World> = {}, seed = 1, company: Partial<Company> = {}) {
    this.company = company;
    this.permits = company.permits ?? new ProbePermits(T0 - 60_000);
    this.world = { ...CALM, ...world };
    this.random = randomFrom(seed);
    const created = done(applyPolicy(null, policy, T0));
    this.state = created.state;
    this.audit.push(...(changeBy('simulation', null, created, T0)?.audit ?? []));
    this.book = new EvidenceBook(policy);
    this.proxies = Array.from({ length: proxies }, (_, node) => new SimulatedProxy(node, policy, this.random, this.world));
  }

  get nowMs(): number {
    return T0 + this.atMs;
  }

  /** Takes the result of a person's command. */
  apply(result: StepResult): void {
    const change = changeBy('simulation', this.state, result, this.nowMs);
    if (change) this.audit.push(...change.audit);
    this.state = result.state;
    this.note(result);
  }

  /** The control plane dies and comes back at once: only the state survives. */
  restartControlPlane(): void {
    this.book = new EvidenceBook(this.state.policy);
    this.permits = new ProbePermits(this.nowMs);
    this.suspects = {};
    this.leaderSinceMs = this.nowMs;
  }

  /** Runs on for this long, or until the condition holds; tells whether it held. */
  run(forMs: number, until?: () => boolean): boolean {
    const endMs = this.atMs + forMs;
    while (this.atMs < endMs) {
      this.atMs += TICK_MS;
      for (const proxy of this.proxies) this.runProxy(proxy);
      if (this.atMs % CONTROL_TICK_MS === 0) this.tick();
      this.mostProbes = Math.max(this.mostProbes, this.probesInFlight());
      if (until?.()) return true;
    }
    return false;
  }

  /** Governed probes that are at the upstream now. */
  probesInFlight(): number {
    return this.proxies.reduce((total, proxy) => total + proxy.probesInFlight(), 0);
  }

  feature(name: string) {
    const record = this.state.features[name];
    if (!record) throw new Error(`no feature ${name}`);
    return record;
  }

  allEnabled(): boolean {
    return Object.values(this.state.features).every((record) => record.state === 'ENABLED');
  }

  suspectsOf(feature: string): readonly string[] {
    return this.suspects[feature] ?? [];
  }

  /** Time passes while nothing at all happens; proxies report, but far less often than they run. */
  skip(toMs: number): void {
    while (this.atMs + 10_000 < toMs) {
      this.atMs += 10_000 - TICK_MS;
      this.run(TICK_MS);
    }
  }

  phases(feature: string): BreakerPhase[] {
    return this.proxies.map((proxy) => proxy.phase(feature));
  }

  private runProxy(proxy: SimulatedProxy): void {
    if (!proxy.live(this.atMs)) return;
    const connected = this.world.connected(proxy.node, this.atMs);
    if (connected) proxy.take(flagsOf(this.state, this.nowMs), this.state.revision, this.state.policy);
    proxy.serve(this.atMs, this.served);
    const report = proxy.reportDue(this.atMs, this.state.revision);
    if (!report || !connected || this.world.lost(proxy.node, report.sequence)) return;
    this.book.record(report, this.nowMs);
    const permits = this.permits.grant(this.state, report, this.nowMs, this.suspects);
    const governed = isGoverning(this.state) && this.leaderSinceMs === null;
    proxy.takeReply(permits, governed ? this.state.policy.governance.staleAfterMs : 0, this.atMs);
  }

  private tick(): void {
    const before = this.state;
    const evidence = this.book.evidence(before, this.nowMs);
    if (this.leaderSinceMs !== null) {
      if (coldStartHold(before, evidence, this.leaderSinceMs, this.nowMs)) return;
      this.leaderSinceMs = null;
      this.apply(resume(before, this.nowMs, this.random));
      return;
    }
    const rampingElsewhere = this.company.rampingElsewhere?.() ?? [];
    const patterns = this.company.patterns ?? BUILT_IN_PATTERNS;
    const result = step(before, evidence, this.nowMs, this.random, { rampingElsewhere, patterns });
    if (result.state !== before) this.decisions.push({ atMs: this.atMs, before, evidence, result });
    this.suspects = result.suspects ?? {};
    this.apply(result);
  }

  private note(result: StepResult): void {
    for (const entry of result.events) this.timeline.push({ ...entry, sinceStartMs: entry.atMs - T0 });
  }
}

interface Outcome {
  readonly atMs: number;
  readonly failed: boolean;
  readonly step: number;
  readonly isProbe: boolean;
}

interface Local {
  flag: Flag;
  phase: BreakerPhase;
  openUntilMs: number;
  openMs: number;
  /** Local share in [0, 1] while it recovers by itself. */
  closedAtMs: number;
  rampFrom: number;
  wasGoverned: boolean;
  /** It held a lease and lost it: on its return it must not jump. */
  ungovernedBefore: boolean;
  returnedAtMs: number;
  permits: number;
  permitsUntilMs: number;
  /** Since when its permits lie idle, and for how long they do before it asks by itself. */
  idleSinceMs: number;
  idleForMs: number;
  backlog: number;
  pending: Outcome[];
  recent: { atMs: number; failed: boolean }[];
  admitted: number;
  succeeded: number;
  failed: number;
  refused: number;
}

const RAMP_MS = 10_000;
const RETURN_MS = 10_000;

/** A proxy with a simple breaker per feature. It obeys flags, holds permits and a lease, and reports each second. */
class SimulatedProxy {
  readonly node: number;
  private readonly random: () => number;
  private readonly world: World;
  private policy: Policy;
  private features: Map<string, Local>;
  private governedUntilMs = 0;
  private sequence = 0;
  private startedAtMs = -30_000;
  private instance = 0;
  private wasRunning = true;
  private revision = 0;
  private readonly offsetMs: number;

  constructor(node: number, policy: Policy, random: () => number, world: World) {
    this.node = node;
    this.policy = policy;
    this.random = random;
    this.world = world;
    this.offsetMs = Math.floor(random() * 10) * TICK_MS;
    this.features = fresh(policy);
  }

  live(atMs: number): boolean {
    const running = this.world.running(this.node, atMs);
    if (running && !this.wasRunning) this.restart(atMs);
    this.wasRunning = running;
    return running;
  }

  phase(feature: string): BreakerPhase {
    return this.local(feature).phase;
  }

  probesInFlight(): number {
    let probes = 0;
    for (const local of this.features.values()) probes += local.pending.filter((outcome) => outcome.isProbe).length;
    return probes;
  }

  take(flags: readonly Flag[], revision: number, policy: Policy): void {
    if (revision === this.revision) return;
    this.revision = revision;
    if (policy !== this.policy) this.takePolicy(policy);
    for (const flag of flags) {
      const local = this.local(flag.feature);
      if (local.flag.step === flag.step) continue;
      Object.assign(local, { flag, phase: 'CLOSED', openMs: 0, rampFrom: 1, recent: [], permits: 0, ...noCounters() });
    }
  }

  private takePolicy(policy: Policy): void {
    this.policy = policy;
    this.features = new Map([...fresh(policy)].map(([name, local]) => [name, this.features.get(name) ?? local]));
  }

  takeReply(permits: readonly Permit[], leaseMs: number, atMs: number): void {
    this.governedUntilMs = leaseMs > 0 ? atMs + leaseMs : 0;
    for (const permit of permits) {
      const local = this.local(permit.feature);
      if (local.flag.step !== permit.step) continue;
      if (local.permits === 0 || atMs >= local.permitsUntilMs) local.idleSinceMs = atMs;
      local.idleForMs = permit.ttlMs / 2;
      local.permits = permit.count;
      local.permitsUntilMs = atMs + permit.ttlMs;
    }
  }

  serve(atMs: number, served: Map<string, { all: number; failed: number }>): void {
    const governed = atMs < this.governedUntilMs;
    for (const feature of this.policy.features) {
      const local = this.local(feature.name);
      this.followLease(local, governed, atMs);
      this.settle(local, feature, atMs);
      local.backlog += (this.world.rate(feature.name, atMs, this.node) * TICK_MS) / 1000;
      for (; local.backlog >= 1; local.backlog--) this.request(local, feature, governed, atMs, served);
      if (this.mayAsk(local, feature, governed, atMs)) this.request(local, feature, governed, atMs, served);
    }
  }

  reportDue(atMs: number, revision: number): Report | null {
    if ((atMs + this.offsetMs) % this.policy.governance.reportMs !== 0) return null;
    this.sequence++;
    return {
      node: `node-${this.node}`,
      instance: `node-${this.node}-${this.instance}`,
      sequence: this.sequence,
      uptimeMs: atMs - this.startedAtMs,
      intervalMs: this.policy.governance.reportMs,
      version: 'simulated',
      revision,
      governed: atMs < this.governedUntilMs,
      features: [...this.features.values()].map(({ flag, phase, admitted, succeeded, failed, refused }) =>
        featureReport(flag.feature, flag.step, { succeeded, failed, refused, admitted }, { phase }),
      ),
    };
  }

  private request(
    local: Local,
    feature: Feature,
    governed: boolean,
    atMs: number,
    served: Map<string, { all: number; failed: number }>,
  ): void {
    const isReturning = governed && atMs < local.returnedAtMs + RETURN_MS;
    const isProbe = local.flag.by === 'recovery' && local.flag.state === 'DISABLED' && governed && !isReturning;
    if (!(isReturning ? this.admitsReturning(local, atMs) : this.admits(local, governed, atMs))) {
      local.refused++;
      return;
    }
    local.admitted++;
    const count = served.get(feature.name) ?? { all: 0, failed: 0 };
    const failed = this.random() < this.world.failing(feature.name, atMs, this.node, local.flag.admit);
    count.all++;
    if (failed) count.failed++;
    served.set(feature.name, count);
    local.pending.push({ atMs: atMs + this.world.latencyMs(feature.name, atMs), failed, step: local.flag.step, isProbe });
  }

  private admits(local: Local, governed: boolean, atMs: number): boolean {
    const { flag } = local;
    if (flag.by === 'person') return flag.state === 'ENABLED' || (flag.state === 'TESTING' && this.random() * 10_000 < flag.admit);
    if (governed && flag.state === 'DISABLED') return this.takePermit(local, atMs);
    if (governed && flag.state === 'TESTING' && this.random() * 10_000 >= flag.admit) return false;
    if (local.phase === 'OPEN') return false;
    if (local.phase === 'HALF_OPEN') return local.pending.length < 1;
    const ramped = Math.min(1, local.rampFrom + (atMs - local.closedAtMs) / RAMP_MS);
    return ramped >= 1 || this.random() < ramped;
  }

  /** Back under the lease it moves to the fleet's share over ten seconds (R3). */
  private admitsReturning(local: Local, atMs: number): boolean {
    const moved = (atMs - local.returnedAtMs) / RETURN_MS;
    const share = 1 - moved + (moved * local.flag.admit) / 10_000;
    return this.random() < share && this.admits(local, false, atMs);
  }

  /** `probe.request`: nobody has used its permits for half their term (R7). */
  private mayAsk(local: Local, { probe }: Feature, governed: boolean, atMs: number): boolean {
    if (!probe || !governed || local.flag.state !== 'DISABLED' || local.flag.by === 'person') return false;
    const isIdle = local.permits > 0 && atMs < local.permitsUntilMs && atMs - local.idleSinceMs >= local.idleForMs;
    return isIdle && local.pending.length === 0;
  }

  private takePermit(local: Local, atMs: number): boolean {
    if (local.permits <= 0 || atMs >= local.permitsUntilMs) return false;
    local.permits--;
    return true;
  }

  /** Without the lease a recovery's flag turns into local state (R3). */
  private followLease(local: Local, governed: boolean, atMs: number): void {
    if (local.wasGoverned && !governed && local.flag.by === 'recovery') {
      if (local.flag.state === 'DISABLED') this.trip(local, atMs);
      else if (local.flag.state === 'TESTING') Object.assign(local, { closedAtMs: atMs, rampFrom: local.flag.admit / 10_000 });
    }
    if (governed && !local.wasGoverned && local.ungovernedBefore) local.returnedAtMs = atMs;
    if (!governed && local.wasGoverned) local.ungovernedBefore = true;
    local.wasGoverned = governed;
    if (local.phase === 'OPEN' && atMs >= local.openUntilMs) local.phase = 'HALF_OPEN';
  }

  private settle(local: Local, feature: Feature, atMs: number): void {
    const due = local.pending.filter((outcome) => outcome.atMs <= atMs);
    local.pending = local.pending.filter((outcome) => outcome.atMs > atMs);
    for (const { failed, step: admittedAt } of due) {
      if (admittedAt !== local.flag.step) continue;
      if (failed) local.failed++;
      else local.succeeded++;
      this.judge(local, feature, failed, atMs);
    }
  }

  private judge(local: Local, feature: Feature, failed: boolean, atMs: number): void {
    if (local.phase === 'HALF_OPEN') {
      if (failed) this.trip(local, atMs);
      else Object.assign(local, { phase: 'CLOSED', closedAtMs: atMs, rampFrom: 0, recent: [], openMs: 0 });
      return;
    }
    local.recent.push({ atMs, failed });
    local.recent = local.recent.filter((outcome) => outcome.atMs > atMs - feature.breaker.windowMs);
    const failures = local.recent.filter((outcome) => outcome.failed).length;
    const isOver = (100 * failures) / local.recent.length >= feature.breaker.failureRatePercent;
    if (local.phase === 'CLOSED' && local.recent.length >= feature.breaker.minimumRequests && isOver) this.trip(local, atMs);
  }

  private trip(local: Local, atMs: number): void {
    local.openMs = Math.min(30_000, Math.max(5000, local.openMs * 2));
    local.phase = 'OPEN';
    local.openUntilMs = atMs + local.openMs * (0.5 + this.random() / 2);
  }

  private restart(atMs: number): void {
    this.instance++;
    this.sequence = 0;
    this.startedAtMs = atMs;
    this.governedUntilMs = 0;
    this.revision = 0;
    this.features = fresh(this.policy);
  }

  private local(feature: string): Local {
    const local = this.features.get(feature);
    if (!local) throw new Error(`no feature ${feature}`);
    return local;
  }
}

function noCounters() {
  return { admitted: 0, succeeded: 0, failed: 0, refused: 0 };
}

function fresh(policy: Policy): Map<string, Local> {
  return new Map(
    policy.features.map(({ name }) => {
      const flag: Flag = { feature: name, step: 0, state: 'ENABLED', admit: 10_000, by: 'recovery' };
      const local: Local = {
        flag,
        phase: 'CLOSED',
        openUntilMs: 0,
        openMs: 0,
        closedAtMs: -RAMP_MS,
        rampFrom: 1,
        wasGoverned: false,
        ungovernedBefore: false,
        returnedAtMs: -RAMP_MS,
        permits: 0,
        permitsUntilMs: 0,
        idleSinceMs: 0,
        idleForMs: 0,
        backlog: 0,
        pending: [],
        recent: [],
        ...noCounters(),
      };
      return [name, local];
    }),
  );
}
