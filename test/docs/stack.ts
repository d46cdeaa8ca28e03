import { join } from 'node:path';
import { startControlPlane } from '../../envoy/demo/control-plane-process.ts';
import { openDemo } from '../../envoy/demo/demo.ts';
import { freePort, freePorts, wellKnownPorts } from '../../envoy/demo/ports.ts';
import type { Stage } from '../../envoy/demo/stage.ts';
import type { PageFixture } from './page-fixture.ts';

export interface Stack {
  /** null without the demo. */
  readonly stage: Stage | null;
  /** Ports as the pages say them → ports of this run. */
  readonly ports: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** What runs before a page's first command. */
export async function startStack({ stack = 'demo', settings = {}, ports: further = [] }: PageFixture, folder: string): Promise<Stack> {
  const free = await freePorts();
  const ports = new Map(Object.entries(wellKnownPorts).map(([part, port]) => [port as number, free[part as keyof typeof free]]));
  for (const port of further) ports.set(port, await freePort());
  if (stack === 'none') return { stage: null, ports, stop: async () => {} };
  if (stack === 'control-plane') {
    const child = await startControlPlane(free.controlPlane, folder, settings);
    return { stage: null, ports, stop: () => child.stop() };
  }
  const end = new AbortController();
  const said: string[] = [];
  const demo = await openDemo({ ports: free, folder: join(folder, 'demo'), end: end.signal, say: (text) => said.push(text) }, () => {});
  return {
    stage: demo.stage,
    ports,
    stop: async () => {
      await demo.close();
      if (said.length > 0) throw new Error(said.join('\n'));
    },
  };
}
