import type { Logger } from 'pino';
import { History } from './domain/history/history.ts';
import type { Refusal, ServiceState, StepResult } from './domain/model.ts';
import { isRefusal } from './domain/model.ts';
import { groupOf, ProbePermits } from './domain/probe-permits.ts';
import { Refused, ServiceUnknown, saying } from './errors.ts';
import { newestSequence, newsSince } from './fleet/audit-news.ts';
import { type Change, changeBy, endedBy } from './fleet/change.ts';
import { EventFeed } from './fleet/events.ts';
import { FleetService } from './fleet/service.ts';
import { readEach } from './fleet/service-reads.ts';
import { storeProblem } from './fleet/store-problem.ts';
import { Turns } from './fleet/turns.ts';
import { Watchers } from './fleet/watchers.ts';
import type { Metrics } from './metrics.ts';
import { type CommitResult, type Fence, isTombstone, type Store, type Stored, StoreFault } from './store/store.ts';

export interface FleetDependencies {
  readonly store: Store;
  /** Epoch ms, whole, that never jump while the process runs. */
  readonly clock: () => number;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly maxWatchers: number;
}

/** A write was refused because another process leads now. */
export class Deposed extends Error {
  override readonly name = 'Deposed';
}

/** Each one that fails means that another process wrote, so somebody gets on. */
const WRITE_ATTEMPTS = 10;
/** Changes that a reader of events may have missed and still gets. */
const EVENTS_KEPT = 5000;

/** All services of this process, and the only way to change one: compare-and-set in the store first, then memory, then the waiting polls. */
export class Fleet {
  readonly clock: () => number;
  readonly random: () => number;
  readonly watchers: Watchers;
  readonly events = new EventFeed(EVENTS_KEPT);
  permits: ProbePermits;
  readonly history = new History();
  private readonly store: Store;
  private readonly log: Logger;
  private readonly metrics: Metrics;
  private readonly byName = new Map<string, FleetService>();
  /** Changes of one service wait for each other. */
  private readonly turns = new Turns();
  /** Services whose state in memory may not be the stored one. */
  private readonly doubtful = new Set<string>();
  /** Services with which the store failed last; told once per outage. */
  private readonly failing = new Set<string>();

  constructor({ store, clock, random, log, metrics, maxWatchers }: FleetDependencies) {
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.log = log;
    this.metrics = metrics;
    this.watchers = new Watchers(clock, maxWatchers);
    this.permits = new ProbePermits(clock());
  }

  /** Takes over what the store holds; what led to it is no news. */
  async load(): Promise<void> {
    await readEach(await this.store.services(), (name) => this.loadOne(name).catch((error) => this.leaveOut(name, error)));
  }

  /** One service that cannot be read keeps no process from serving the others; its filters keep what they have. */
  private leaveOut(service: string, error: unknown): void {
    if (!(error instanceof StoreFault) || error.kind !== 'broken') throw error;
    this.log.error({ err: error, service }, 'a service was left out');
  }

  private async loadOne(name: string): Promise<void> {
    const through = await newestSequence(this.store, name);
    const stored = await this.store.load(name);
    if (stored) this.install(name, stored, this.store.lineage).auditedThrough = through;
  }

  /** All states in memory, tombstones included. */
  held(): readonly FleetService[] {
    return [...this.byName.values()];
  }

  /** Takes in what other processes wrote of a service, unless `version` is here already; resolves once the waiting polls are being answered. */
  async follow(name: string, version = Number.POSITIVE_INFINITY): Promise<void> {
    await this.turns.run(name, async () => {
      const service = this.byName.get(name);
      const isHere = service?.directive.name.lineage === this.store.lineage && service.stored.version >= version;
      if (!isHere) await this.takeIn(name);
    });
  }

  /** Nothing that is in memory is taken for stored any more: the store has another history now, which is then followed. */
  doubtAll(): void {
    for (const name of this.byName.keys()) this.doubtful.add(name);
  }

  /** This process grants permits from now on; until `settledAtMs` those of the one before may be out. */
  beginGranting(settledAtMs?: number): void {
    this.permits = new ProbePermits(this.clock(), settledAtMs);
  }

  /** Services that are not deleted, in order of their names. */
  live(): { readonly service: FleetService; readonly state: ServiceState }[] {
    return [...this.byName.keys()].sort().flatMap((name) => {
      const service = this.byName.get(name)!;
      return service.state ? [{ service, state: service.state }] : [];
    });
  }

  /** Probe permits in flight by upstream group. */
  permitsInFlight(): ReadonlyMap<string, number> {
    const nowMs = this.clock();
    return new Map(this.live().map(({ state }) => [groupOf(state), this.permits.outstanding(groupOf(state), nowMs)]));
  }

  /** The service, deleted or not; undefined: unknown to the store. */
  find(name: string): FleetService | undefined {
    return this.byName.get(name);
  }

  /** The service, deleted or not; unknown to the store: 404, which tells filters to keep what they have (R5). */
  known(name: string): FleetService {
    const service = this.byName.get(name);
    if (!service) throw new ServiceUnknown(name);
    return service;
  }

  /** The service with its state; unknown or deleted: 404. */
  found(name: string): { readonly service: FleetService; readonly state: ServiceState } {
    const service = this.known(name);
    if (!service.state) throw new ServiceUnknown(name);
    return { service, state: service.state };
  }

  /** A person's command on an existing service. Throws what the domain refuses as a 409. */
  async command(name: string, actor: string, decide: (state: ServiceState, nowMs: number) => StepResult | Refusal): Promise<ServiceState> {
    await this.change(name, (before) => {
      if (!before || 'deleted' in before) throw new ServiceUnknown(name);
      return this.changeOf(actor, before, decide(before, this.clock()));
    });
    return this.found(name).state;
  }

  /** What the domain's answer to a person makes of the service. */
  changeOf(actor: string, before: Stored | null, result: StepResult | Refusal): Change | null {
    if (!isRefusal(result)) return changeBy(actor, before, result, this.clock());
    const errors = result.features.map((feature) => ({ path: `features.${feature}`, reason: result.detail }));
    throw saying(new Refused(result.detail), { because: result.refused, errors });
  }

  /**
   * Changes one service; changes of one service wait for each other. `decide` gets what is stored now, and is asked again when another
   * process was faster. Resolves once the change is on disk and the waiting polls are being answered; whether there was one.
   */
  change(name: string, decide: (before: Stored | null) => Change | null, fence?: Fence): Promise<boolean> {
    return this.turns.run(name, () => this.write(name, decide, fence));
  }

  private async write(name: string, decide: (before: Stored | null) => Change | null, fence: Fence | undefined): Promise<boolean> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const before = await this.current(name);
      const change = decide(before);
      if (!change) return false;
      const result = await this.commit(name, before, change, fence);
      if (result === 'committed') {
        this.publish(name, change);
        return true;
      }
      this.doubtful.add(name);
      if (result === 'fenced' && !fence) throw storeProblem(new StoreFault('broken', 'the store has another history now', false));
      if (result === 'fenced') throw new Deposed(`another process leads; the change of ${name} was not written`);
    }
    throw storeProblem(new StoreFault('broken', `other processes keep changing ${name}`, false));
  }

  private current(name: string): Promise<Stored | null> {
    return this.doubtful.has(name) ? this.takeIn(name) : Promise.resolve(this.byName.get(name)?.stored ?? null);
  }

  /** What is stored now, taken into memory with the events that led to it. */
  private async takeIn(name: string): Promise<Stored | null> {
    const { lineage } = this.store;
    const service = this.byName.get(name);
    const held = service?.directive.name.lineage === lineage ? service.stored.version : 0;
    const stored = await this.guarded(name, () => this.store.load(name));
    if ((stored?.version ?? 0) < held) throw storeProblem(new StoreFault('broken', `the store has lost what it knew of ${name}`, false));
    if (!stored) this.byName.delete(name);
    else if (stored.version > held) await this.takeOver(name, stored, lineage);
    this.doubtful.delete(name);
    return stored;
  }

  /** A change between the two reads only brings its own news early. */
  private async takeOver(name: string, stored: Stored, lineage: string): Promise<void> {
    const news = await this.guarded(name, () => newsSince(this.store, name, this.byName.get(name)?.auditedThrough ?? 0));
    const stopTimer = this.metrics.pushSeconds.startTimer();
    const service = this.install(name, stored, lineage, () => stopTimer());
    service.auditedThrough = news.at(-1)?.sequence ?? service.auditedThrough;
    this.events.add(
      name,
      news.map(({ sequence: _, ...entry }) => entry),
    );
    this.log.info({ service: name, revision: stored.revision, version: stored.version }, 'took over what another process wrote');
  }

  private async commit(name: string, before: Stored | null, { next, audit }: Change, fence: Fence | undefined): Promise<CommitResult> {
    const nowMs = this.clock();
    const stopTimer = this.metrics.commitSeconds.startTimer();
    const commit = { expectedVersion: before?.version ?? 0, next, audit, ended: endedBy(before, next, nowMs), nowMs };
    const result = await this.guarded(name, () => this.store.commit(fence ? { ...commit, fence } : commit));
    stopTimer();
    return result;
  }

  /** A failure of the store leaves open whether it wrote: the state is read again before the next change. */
  private async guarded<T>(name: string, use: () => Promise<T>): Promise<T> {
    try {
      const result = await use();
      this.failing.delete(name);
      return result;
    } catch (error) {
      this.doubtful.add(name);
      if (!this.failing.has(name)) this.log.error({ err: error, service: name }, 'the store failed');
      this.failing.add(name);
      throw storeProblem(error);
    }
  }

  private publish(name: string, { next, audit, result }: Change): void {
    const stopTimer = this.metrics.pushSeconds.startTimer();
    const before = this.byName.get(name)?.state ?? null;
    this.install(name, next, this.store.lineage, () => stopTimer()).auditedThrough += audit.length;
    this.events.add(name, audit);
    for (const { feature, from, to, reason } of result?.transitions ?? []) {
      this.log.info({ service: name, feature, from, to, ...reason }, 'transition');
      this.metrics.flagChanges.inc({ service: name, to: to.state });
    }
    this.metrics.countEvents(name, result?.events ?? []);
    this.metrics.countRecoveries(endedBy(before, next, this.clock()));
  }

  /** Takes what is stored into memory; `pushed` is told once all polls that waited for it are answered. */
  private install(name: string, stored: Stored, lineage: string, pushed: () => void = () => undefined): FleetService {
    if (isTombstone(stored)) this.history.forget(name);
    const known = this.byName.get(name);
    if (known) {
      if (known.install(stored, lineage, this.clock())) this.watchers.push(name, pushed);
      return known;
    }
    const service = new FleetService(lineage, stored);
    this.byName.set(name, service);
    return service;
  }
}
