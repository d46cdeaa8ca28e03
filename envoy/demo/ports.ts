import { createServer } from 'node:net';

/** Below the range that the kernel hands to outgoing connections, so that a port stays free while its server is away. */
const range = { from: 20_000, to: 32_000 } as const;

/** A loopback port that is free now; never the same one twice from one process. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free loopback port between ${range.from} and ${range.to}`);
}

const given = new Set<number>();

/** Whether a server could listen on this loopback port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Where the parts of the demo listen. */
export interface StagePorts {
  readonly listener: number;
  readonly admin: number;
  readonly controlPlane: number;
  /** Of the second replica, where there are two; and of the Valkey that they share, where the demo starts it. */
  readonly replica: number;
  readonly redis: number;
  readonly shop: number;
  readonly fallback: number;
  readonly shopControl: number;
}

/** The ports of envoy/envoy.yaml, and the shop's control port. */
export const wellKnownPorts: StagePorts = {
  listener: 10_000,
  admin: 9901,
  controlPlane: 7700,
  replica: 7701,
  redis: 7702,
  shop: 8081,
  fallback: 8082,
  shopControl: 8099,
};

/** Free ports for all parts. */
export async function freePorts(): Promise<StagePorts> {
  const entries = await Promise.all(Object.keys(wellKnownPorts).map(async (part) => [part, await freePort()] as const));
  return Object.fromEntries(entries) as unknown as StagePorts;
}

/** The well-known ports; a part whose port is taken gets a free one, and `say` tells so. */
export async function portsForDemo(say: (line: string) => void): Promise<StagePorts> {
  const chosen: [string, number][] = [];
  for (const [part, port] of Object.entries(wellKnownPorts)) {
    if (await isFree(port)) {
      chosen.push([part, port]);
      continue;
    }
    const other = await freePort();
    say(`port ${port} (${part}) is taken, using ${other} instead`);
    chosen.push([part, other]);
  }
  return Object.fromEntries(chosen) as unknown as StagePorts;
}
