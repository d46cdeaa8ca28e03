import type { LiveReasons, Reason } from '../domain/model.ts';
import type { FleetService } from '../fleet/service.ts';
import type { Fleet } from '../fleet.ts';
import type { Bus } from '../store/store.ts';
import { Channel } from './channel.ts';

const TELL_EVERY_MS = 1000;
/** What has not changed is told again after this long, for those who came later. */
const REPEAT_AFTER_MS = 10_000;

/** What the leader's last tick found of one service, which no store keeps. */
interface Live {
  readonly service: string;
  readonly live: Readonly<Record<string, LiveReasons>>;
  readonly suspects: Readonly<Record<string, readonly string[]>>;
  readonly holding: Reason | null;
}

/** Brings the reasons of the leader's ticks to the other replicas, so that `why` says the same on each. */
export class LiveWord {
  private readonly fleet: Fleet;
  private readonly channel: Channel<Live>;
  private readonly told = new WeakMap<FleetService, { readonly text: string; readonly atMs: number }>();
  private toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(fleet: Fleet, bus: Bus, self: string) {
    this.fleet = fleet;
    this.channel = new Channel(bus, 'live', self);
  }

  /** Hears the replica that `isLeader` names. */
  start(isLeader: (replica: string) => boolean): () => void {
    return this.channel.hear(({ service: name, live, suspects, holding }, from) => {
      const service = this.fleet.find(name);
      if (!service || !isLeader(from)) return;
      service.live = live;
      service.suspects = suspects;
      service.holding = holding;
    });
  }

  /** As the leader, once a second at most. */
  tell(): void {
    const nowMs = this.fleet.clock();
    if (nowMs - this.toldAtMs < TELL_EVERY_MS) return;
    this.toldAtMs = nowMs;
    for (const { service } of this.fleet.live()) this.tellOf(service, nowMs);
  }

  private tellOf(service: FleetService, nowMs: number): void {
    const { name, live, suspects, holding } = service;
    const text = JSON.stringify({ service: name, live, suspects, holding } satisfies Live);
    const last = this.told.get(service);
    if (last?.text === text && nowMs - last.atMs < REPEAT_AFTER_MS) return;
    this.told.set(service, { text, atMs: nowMs });
    this.channel.tellText(text);
  }
}
