import type { Versions } from '../store.ts';
import type { Connection } from './connection.ts';
import { FLEET_KEYS, serviceKeys } from './keys.ts';
import { sent } from './scripts.ts';
import type { ClockSample, SharedClock } from './shared-clock.ts';

/** What is stored now, by one round trip when no service is new; each reading also tells the clock what time Redis has. */
export class ClockedVersions {
  private readonly connection: Connection;
  private readonly clock: SharedClock;
  private readonly localMs: () => number;
  private known: readonly string[] = [];

  constructor(connection: Connection, clock: SharedClock, localMs: () => number) {
    this.connection = connection;
    this.clock = clock;
    this.localMs = localMs;
  }

  /** Reads Redis's clock. */
  static async sample(connection: Connection, localMs: () => number): Promise<ClockSample> {
    const sentMs = localMs();
    const time = await connection.use((redis) => redis.time());
    return sampleOf(sentMs, localMs(), time);
  }

  async read(): Promise<Omit<Versions, 'areTokensLost'>> {
    const { lineage, access, announced, services } = FLEET_KEYS;
    const sentMs = this.localMs();
    const asked = this.known;
    const [told, changes, time, names, ...versions] = (await this.connection.use((redis) => {
      const pipeline = redis.pipeline().mget(lineage, announced).hget(access, 'changes').time().smembers(services);
      for (const service of asked) pipeline.hget(serviceKeys(service).head, 'version');
      return sent<unknown>(pipeline);
    })) as [(string | null)[], string | null, (string | number)[], string[], ...(string | null)[]];
    this.clock.observe(sampleOf(sentMs, this.localMs(), time));
    const found = new Map(asked.map((service, index) => [service, versions[index] ?? null]));
    for (const [service, version] of await this.versionsOf(names.filter((name) => !found.has(name)))) found.set(service, version);
    this.known = names;
    const present = names.flatMap((name) => (found.get(name) == null ? [] : [[name, Number(found.get(name))] as const]));
    return { lineage: told[0]!, services: new Map(present), tokens: Number(changes ?? 0), announced: told[1]! };
  }

  private async versionsOf(services: readonly string[]): Promise<(readonly [string, string | null])[]> {
    if (services.length === 0) return [];
    const versions = await this.connection.use((redis) => {
      const pipeline = redis.pipeline();
      for (const service of services) pipeline.hget(serviceKeys(service).head, 'version');
      return sent<string | null>(pipeline);
    });
    return services.map((service, index) => [service, versions[index] ?? null] as const);
  }
}

function sampleOf(sentMs: number, receivedMs: number, [seconds, microseconds]: readonly (string | number)[]): ClockSample {
  return { sentMs, receivedMs, theirMs: Number(seconds) * 1000 + Number(microseconds) / 1000 };
}
