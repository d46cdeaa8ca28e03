import type { AuditRecord, Bus, Commit, CommitResult, Fence, Store, Stored, Versions } from '../../../control-plane/store/store.ts';
import { ANNOUNCEMENTS, CHANGES, StoreFault, TOKENS } from '../../../control-plane/store/store.ts';

/** What the network does to a message: when it arrives at each receiver, in ms; several: it is doubled; none: it is lost. */
export type Weather = () => readonly number[];

interface Leader {
  readonly holder: string;
  readonly counter: number;
  readonly untilMs: number;
}

/**
 * As much of a shared store as replicas need, in memory and in simulated time, with a bus that loses, delays and doubles: for laws over many
 * runs. That the real one does the same is shown by the suite that every store obeys.
 */
export class SharedMemory {
  lineage = '1-first';
  leader: Leader | null = null;
  readonly states = new Map<string, Stored>();
  private readonly audits = new Map<string, AuditRecord[]>();
  private readonly cutOff = new Set<string>();
  private readonly receivers = new Set<{ replica: string; channel: string; receive: (message: string) => void }>();
  private counter = 0;
  private announced: string | null = null;
  private readonly clock: () => number;
  private readonly weather: Weather;

  constructor(clock: () => number, weather: Weather) {
    this.clock = clock;
    this.weather = weather;
  }

  /** Neither store nor bus hear of this replica any more, nor it of them. */
  cut(replica: string): void {
    this.cutOff.add(replica);
  }

  mend(replica: string): void {
    this.cutOff.delete(replica);
  }

  storeOf(replica: string): Store {
    const reach = <T>(action: () => T): Promise<T> =>
      this.cutOff.has(replica) ? Promise.reject(new StoreFault('unreachable', 'cut off', false)) : Promise.resolve(action());
    const { lineage } = this;
    return {
      lineage,
      bus: this.busOf(replica),
      clock: this.clock,
      commit: (change) => reach(() => this.commit(change)),
      load: (service) => reach(() => this.states.get(service) ?? null),
      services: () => reach(() => [...this.states.keys()]),
      audit: (service, { limit }) => reach(() => ({ items: [...(this.audits.get(service) ?? [])].reverse().slice(0, limit), next: null })),
      auditSnapshot: () => reach(() => null),
      recoveries: () => reach(() => ({ items: [], next: null })),
      recovery: () => reach(() => null),
      policyVersions: () => reach(() => ({ items: [], next: null })),
      tokens: () => reach(() => []),
      putToken: () => reach(() => this.tell(TOKENS, '')),
      removeToken: () => reach(() => this.tell(TOKENS, '')),
      putCopy: () => reach(() => undefined),
      getCopy: () => reach(() => null),
      lead: (holder, ttlMs) => reach(() => this.lead(holder, ttlMs)),
      announce: (fence, message) => reach(() => this.announce(fence, message)),
      versions: () => reach(() => this.versions()),
      renew: () => reach(() => []),
      backup: async function* () {},
      check: () => reach(() => undefined),
      close: async () => undefined,
    };
  }

  private commit({ expectedVersion, next, audit, fence }: Commit): CommitResult {
    if (fence && fence.counter !== this.counter) return 'fenced';
    if ((this.states.get(next.service)?.version ?? 0) !== expectedVersion) return 'conflict';
    this.states.set(next.service, next);
    const entries = this.audits.get(next.service) ?? [];
    this.audits.set(next.service, [...entries, ...audit.map((entry, index) => ({ ...entry, sequence: entries.length + index + 1 }))]);
    this.tell(CHANGES, JSON.stringify({ lineage: this.lineage, service: next.service, version: next.version }));
    return 'committed';
  }

  private lead(holder: string, ttlMs: number): Fence | null {
    const nowMs = this.clock();
    const isFree = !this.leader || this.leader.untilMs <= nowMs;
    if (!isFree && this.leader?.holder !== holder) return null;
    if (isFree || !this.leader) this.counter++;
    this.leader = { holder, counter: this.counter, untilMs: nowMs + ttlMs };
    return { lineage: this.lineage, counter: this.counter };
  }

  private announce({ counter }: Fence, message: string): boolean {
    if (counter !== this.counter) return false;
    this.announced = message;
    this.tell(ANNOUNCEMENTS, message);
    return true;
  }

  private versions(): Versions {
    const services = new Map([...this.states].map(([name, { version }]) => [name, version]));
    return { lineage: this.lineage, services, tokens: 0, areTokensLost: false, announced: this.announced };
  }

  private busOf(replica: string): Bus {
    return {
      publish: (channel, message) => {
        if (!this.cutOff.has(replica)) this.tell(channel, message);
      },
      subscribe: (channel, receive) => {
        const receiver = { replica, channel, receive };
        this.receivers.add(receiver);
        return () => void this.receivers.delete(receiver);
      },
    };
  }

  private tell(channel: string, message: string): void {
    for (const receiver of this.receivers) {
      if (receiver.channel !== channel) continue;
      for (const delayMs of this.weather()) {
        setTimeout(() => {
          if (this.receivers.has(receiver) && !this.cutOff.has(receiver.replica)) receiver.receive(message);
        }, delayMs);
      }
    }
  }
}
