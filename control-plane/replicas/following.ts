import type { Logger } from 'pino';
import type { DirectiveName } from '../fleet/directive.ts';
import { readEach } from '../fleet/service-reads.ts';
import type { Fleet } from '../fleet.ts';
import { type Bus, CHANGES, type ChangeMessage, type Store, StoreFault, type Versions } from '../store/store.ts';

const LOOK_EVERY_MS = 1000;
/** Of those that could not be read, in the log. */
const SERVICES_TOLD = 10;
/** A filter that names a revision which nobody can have must not renew the lineage again and again. */
const RENEW_FOR_FILTERS_MS = 60_000;

/** Some services could not be read; all others are as stored. */
export class ServicesUnread extends Error {
  override readonly name = 'ServicesUnread';

  constructor(services: readonly string[], cause: unknown) {
    super(`${services.length} services cannot be read: ${services.slice(0, SERVICES_TOLD).join(', ')}`, { cause });
  }
}

/** What a filter says it holds. */
export type Named = Partial<Pick<DirectiveName, 'lineage' | 'revision'>>;

export interface FollowingDependencies {
  readonly fleet: Fleet;
  readonly store: Store;
  readonly bus: Bus;
  readonly log: Logger;
  /** Told what each look showed. */
  readonly seen: (versions: Versions) => void;
}

/**
 * Keeps memory what the store says: by the messages of other replicas, which may be lost, and by a look once a second, which finds everything.
 * A store that has lost what this replica holds gets a new lineage, and what is newer here back (R5).
 */
export class Following {
  private readonly fleet: Fleet;
  private readonly store: Store;
  private readonly bus: Bus;
  private readonly log: Logger;
  private readonly seen: FollowingDependencies['seen'];
  private timer: NodeJS.Timeout | null = null;
  private isStopped = false;
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  private lookedAtMs: number | null = null;
  private fault: Error | null = null;
  private renewedForFilterAtMs = Number.NEGATIVE_INFINITY;
  /** What a filter showed that the store has lost; null: nothing. */
  private lostByFilter: string | null = null;

  constructor({ fleet, store, bus, log, seen }: FollowingDependencies) {
    this.fleet = fleet;
    this.store = store;
    this.bus = bus;
    this.log = log;
    this.seen = seen;
  }

  start(): () => void {
    const end = this.bus.subscribe(CHANGES, (message) => this.hear(message));
    const again = () => {
      void this.look()
        .then(
          () => this.recovered(),
          (error: Error) => this.failed(error),
        )
        .finally(() => {
          if (!this.isStopped) this.timer = setTimeout(again, LOOK_EVERY_MS).unref();
        });
    };
    again();
    return () => {
      this.isStopped = true;
      if (this.timer) clearTimeout(this.timer);
      end();
    };
  }

  /** Since the last look that ended well; null: none has. */
  ageMs(nowMs: number): number | null {
    return this.lookedAtMs === null ? null : Math.max(0, nowMs - this.lookedAtMs);
  }

  /** Why the last look failed; null: it did not. */
  get failure(): Error | null {
    return this.fault;
  }

  /** Resolves when all that was stored at the time of the call is in memory. */
  look(): Promise<void> {
    if (!this.running) return this.begin();
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.next = null;
        return this.begin();
      });
    return this.next;
  }

  /** Whether what a filter names may be newer than what is here: then nobody may answer it from memory alone. */
  isAhead({ lineage, revision = 0 }: Named, here: DirectiveName): boolean {
    if (lineage === undefined) return false;
    return lineage === here.lineage ? revision > here.revision : orderOf(lineage) > orderOf(here.lineage);
  }

  /**
   * Finds out whether what is here is the newest, though a filter names something that is not known here; false: the store does not say.
   * A filter that is ahead of the store itself tells that the store has lost something (R5).
   */
  async catchUpWith(service: string, named: Named): Promise<boolean> {
    try {
      await this.look();
      const here = this.fleet.known(service).directive.name;
      if (named.lineage !== here.lineage || !this.isAhead(named, here)) return true;
      const nowMs = this.fleet.clock();
      if (nowMs - this.renewedForFilterAtMs < RENEW_FOR_FILTERS_MS) return false;
      this.renewedForFilterAtMs = nowMs;
      this.lostByFilter = `a filter of ${service} has revision ${named.revision}, the store ${here.revision}`;
      await this.look();
      return true;
    } catch (error) {
      if (error instanceof StoreFault || error instanceof ServicesUnread) return false;
      throw error;
    }
  }

  private begin(): Promise<void> {
    this.running = this.once().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async once(): Promise<void> {
    const held = this.heldVersions();
    const versions = await this.store.versions();
    const lost = lostBy(versions, this.store.lineage, held) ?? this.lostByFilter;
    this.lostByFilter = null;
    if (lost === null) await this.takeIn(versions);
    else await this.renew(lost);
    this.lookedAtMs = this.fleet.clock();
    this.seen(versions);
  }

  /** Versions of the present lineage: what is behind these in the store was lost. */
  private heldVersions(): ReadonlyMap<string, number> {
    const { lineage } = this.store;
    const present = this.fleet.held().filter(({ directive }) => directive.name.lineage === lineage);
    return new Map(present.map(({ name, stored }) => [name, stored.version]));
  }

  private async renew(because: string): Promise<void> {
    const before = this.store.lineage;
    const states = this.fleet.held().map(({ stored }) => stored);
    const restored = await this.store.renew(states, this.fleet.clock());
    this.fleet.doubtAll();
    this.log.warn({ because, before, lineage: this.store.lineage, restored }, 'the store has another history now');
    await this.takeIn(await this.store.versions());
  }

  private async takeIn({ services }: Versions): Promise<void> {
    const held = this.heldVersions();
    const gone = this.fleet.held().filter(({ name }) => !held.has(name) && !services.has(name));
    const behind = [...services].filter(([name, version]) => (held.get(name) ?? 0) < version);
    const names = [...behind.map(([name]) => name), ...gone.map(({ name }) => name)];
    const unread = new Map<string, unknown>();
    await readEach(names, (name) => this.fleet.follow(name, services.get(name)).catch((error: unknown) => unread.set(name, error)));
    const [first] = unread.values();
    if (unread.size > 0) throw new ServicesUnread([...unread.keys()], first); // one that cannot be read holds up no other
  }

  private hear(message: string): void {
    const { lineage, service, version } = JSON.parse(message) as ChangeMessage;
    const followed = lineage === this.store.lineage ? this.fleet.follow(service, version) : this.look();
    followed.catch(() => undefined); // told where it happened; the next look tries again
  }

  private recovered(): void {
    if (this.fault) this.log.info('changes of other replicas are followed again');
    this.fault = null;
  }

  private failed(error: Error): void {
    if (!this.fault) this.log.warn({ err: error }, 'changes of other replicas cannot be followed now');
    this.fault = error;
  }
}

/** Lineages of shared stores begin with the moment at which they were made (epoch ms); others came before. */
function orderOf(lineage: string): number {
  return Number(/^\d+(?=-)/.exec(lineage)?.[0] ?? 0);
}

/** What the store has lost of the history that this process is in; null: nothing. */
function lostBy(versions: Versions, lineage: string, held: ReadonlyMap<string, number>): string | null {
  if (versions.lineage === null) return 'the store is empty';
  if (versions.lineage !== lineage) return `another replica renewed it: the lineage is ${versions.lineage}`;
  for (const [name, version] of held) {
    const stored = versions.services.get(name) ?? 0;
    if (stored < version) return `${name} was at version ${version}, the store has ${stored}`;
  }
  return versions.areTokensLost ? 'the store has lost access tokens' : null;
}
