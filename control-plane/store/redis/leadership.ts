import { ANNOUNCEMENTS, type Fence } from '../store.ts';
import type { Connection } from './connection.ts';
import { FLEET_KEYS, serviceKeys } from './keys.ts';
import { add, run, sent } from './scripts.ts';

/** Services whose fences are raised with one round trip. */
const FENCES_AT_ONCE = 500;

/** The lead of the fleet: a lease by Redis's clock, and a counter that grows with each new leader and fences off those before. */
export class LeadershipLease {
  private readonly connection: Connection;
  private readonly channel: string;
  private holder: string | null = null;
  /** Under which every service refuses other leaders, as far as this process saw to it. */
  private raised: Fence | null = null;
  /** The highest that this process has seen. */
  private counter = 0;

  constructor(connection: Connection, channelPrefix: string) {
    this.connection = connection;
    this.channel = channelPrefix + ANNOUNCEMENTS;
  }

  get lastCounter(): number {
    return this.counter;
  }

  async lead(lineage: string, holder: string, ttlMs: number): Promise<Fence | null> {
    const keys = [FLEET_KEYS.lineage, FLEET_KEYS.leader, FLEET_KEYS.counter];
    const counter = await this.connection.use((redis) => run<number>(redis, 'lead', keys, [lineage, holder, ttlMs]));
    if (counter === 0) return null;
    this.holder = holder;
    this.counter = Math.max(this.counter, counter);
    const fence = { lineage, counter };
    if (this.raised?.lineage !== lineage || this.raised.counter !== counter) await this.raise(fence);
    return fence;
  }

  async announce({ lineage, counter }: Fence, message: string): Promise<boolean> {
    const keys = [FLEET_KEYS.lineage, FLEET_KEYS.leader, FLEET_KEYS.counter, FLEET_KEYS.announced];
    return (await this.connection.use((redis) => run(redis, 'announce', keys, [lineage, counter, message, this.channel]))) === 1;
  }

  /** Gives the lead back if this process has it. */
  async resign(): Promise<void> {
    const { holder } = this;
    if (holder !== null) await this.connection.use((redis) => run(redis, 'resign', [FLEET_KEYS.leader], [holder]));
  }

  private async raise(fence: Fence): Promise<void> {
    const services = await this.connection.use((redis) => redis.smembers(FLEET_KEYS.services));
    for (let from = 0; from < services.length; from += FENCES_AT_ONCE) {
      await this.connection.use((redis) => {
        const pipeline = redis.pipeline();
        for (const service of services.slice(from, from + FENCES_AT_ONCE)) {
          add(pipeline, 'fence', [serviceKeys(service).head], [fence.lineage, fence.counter]);
        }
        return sent(pipeline);
      });
    }
    this.raised = fence;
  }
}
