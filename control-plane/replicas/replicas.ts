import type { Logger } from 'pino';
import type { Access } from '../access/access.ts';
import type { NodeLimits } from '../access/node-limits.ts';
import type { Permit, Report } from '../contract/report.ts';
import type { ServiceState } from '../domain/model.ts';
import type { Lead, Leadership } from '../fleet/lead.ts';
import type { Fleet } from '../fleet.ts';
import type { Metrics } from '../metrics.ts';
import { ANNOUNCEMENTS, type Bus, type Store, TOKENS, type Versions } from '../store/store.ts';
import type { TickListener } from '../ticker.ts';
import { Following } from './following.ts';
import { type Announcement, Governor } from './governor.ts';
import { LiveWord } from './live-word.ts';
import { PermitDesk } from './permit-desk.ts';
import { Relay, type Relayed } from './relay.ts';
import { soundBus } from './sound-bus.ts';

/** Clocks of replicas agree to within much less than this. */
const CLOCKS_APART_MS = 1000;

export interface ReplicasDependencies {
  readonly fleet: Fleet;
  readonly store: Store;
  readonly bus: Bus;
  readonly lead: Lead;
  readonly access: Access;
  readonly nodeLimits: NodeLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** This process as one of the replicas that share a store. */
export class Replicas implements TickListener {
  readonly following: Following;
  readonly governor: Governor;
  private readonly fleet: Fleet;
  private readonly store: Store;
  private readonly bus: Bus;
  private readonly lead: Lead;
  private readonly access: Access;
  private readonly log: Logger;
  private readonly relaying: Relay;
  private readonly desk: PermitDesk;
  private readonly liveWord: LiveWord;
  private readonly ends: (() => void)[] = [];
  private tick = 0;
  private failed: readonly string[] = [];
  private tokens: number | null = null;

  constructor({ fleet, store, bus: given, lead, access, nodeLimits, metrics, log }: ReplicasDependencies) {
    const bus = soundBus(given, log);
    this.fleet = fleet;
    this.store = store;
    this.bus = bus;
    this.lead = lead;
    this.access = access;
    this.log = log;
    const self = lead.holder;
    this.governor = new Governor(fleet, store, self);
    this.following = new Following({ fleet, store, bus, log, seen: (versions) => this.seen(versions) });
    this.relaying = new Relay({ fleet, lead, nodeLimits, metrics, log, bus });
    this.liveWord = new LiveWord(fleet, bus, self);
    const leader = () => this.governor.leader;
    this.desk = new PermitDesk({ fleet, lead, bus, metrics, log, leader, keepTerm: () => this.keepTerm() });
  }

  start(): void {
    this.ends.push(
      this.following.start(),
      this.relaying.start(),
      this.desk.start(),
      this.liveWord.start((replica) => replica === this.governor.leader),
      this.bus.subscribe(ANNOUNCEMENTS, (message) => this.governor.hear(message)),
      this.bus.subscribe(TOKENS, () => this.refreshTokens()),
    );
  }

  stop(): void {
    for (const end of this.ends.splice(0)) end();
  }

  /** Permits for the reply to a report, which counts as evidence already. */
  permitsFor(state: ServiceState, report: Report): readonly Permit[] | Promise<readonly Permit[]> {
    return this.desk.permitsFor(state, report);
  }

  /** Tells the other replicas of a report. */
  relay(relayed: Relayed): void {
    this.relaying.pass(relayed);
  }

  async begins({ sinceMs }: Leadership): Promise<void> {
    const { announced } = await this.store.versions();
    this.governor.read(announced);
    const knownMs = this.governor.permitsUntilMs;
    this.fleet.beginGranting(knownMs === 0 ? undefined : Math.max(sinceMs, knownMs + CLOCKS_APART_MS));
  }

  async ticked(leadership: Leadership, failed: readonly string[]): Promise<void> {
    this.tick++;
    this.failed = failed;
    if (!(await this.announce(leadership))) this.lead.lose();
    else this.liveWord.tell();
  }

  private async keepTerm(): Promise<boolean> {
    const leadership = this.lead.present;
    return leadership !== null && (await this.announce(leadership));
  }

  private announce({ fence }: Leadership): Promise<boolean> {
    const permitsUntilMs = Math.max(this.governor.permitsUntilMs, this.fleet.permits.untilMs);
    const said: Announcement = { ...fence, holder: this.lead.holder, tick: this.tick, failed: this.failed, permitsUntilMs };
    return this.store.announce(fence, JSON.stringify(said));
  }

  private seen({ tokens, announced }: Versions): void {
    this.governor.read(announced);
    if (tokens !== this.tokens) this.refreshTokens();
    this.tokens = tokens;
  }

  private refreshTokens(): void {
    this.access.refresh().catch((error: Error) => {
      this.tokens = null; // the next look tries again
      this.log.warn({ err: error }, 'access tokens could not be read');
    });
  }
}
