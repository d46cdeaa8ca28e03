import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { deriveEnvoyConfiguration, loopback, type PluginJson } from '../../envoy/demo/envoy-configuration.ts';
import { type EnvoyProcess, envoyReady, startEnvoy } from '../../envoy/demo/envoy-process.ts';
import { freePorts, type StagePorts } from '../../envoy/demo/ports.ts';
import { type Shop, startShop } from '../../envoy/demo/shop.ts';
import { waitFor } from '../../envoy/demo/wait.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { findEnvoy } from '../../scripts/servers.ts';

/** A listener by its port, with what its filter is told. */
export interface ListenerInit {
  readonly port: number;
  readonly plugin: (configuration: PluginJson) => unknown;
}

/** An Envoy whose listeners come from a file that a test replaces, as a control plane would over xDS. */
export interface DynamicEnvoy {
  readonly ports: StagePorts;
  readonly shop: Shop;
  /** The newest epoch. */
  envoy(): EnvoyProcess;
  /** Puts other listeners in place and waits until Envoy has taken, or refused, them. */
  update(listeners: readonly ListenerInit[]): Promise<'taken' | 'refused'>;
  /** Hot restart: another process of the same base id takes over; resolves when it serves. */
  restart(): Promise<{ readonly parent: EnvoyProcess }>;
}

/** Short, so that a test sees the end of an old configuration; the old process lives on until the stats, flushed every 5 s, have its gauges. Immediate: each answer meanwhile tells the client to connect anew. */
const DRAIN_SECONDS = 2;
const drain = [
  '--drain-time-s',
  String(DRAIN_SECONDS),
  '--drain-strategy',
  'immediate',
  '--parent-shutdown-time-s',
  String(DRAIN_SECONDS + 5),
];

interface Document {
  static_resources: { listeners: object[] };
}

export interface DynamicInit {
  readonly listeners: (ports: StagePorts) => readonly ListenerInit[];
  /** Another build of the filter. */
  readonly module?: string;
  /** Changes the whole configuration as text, for what a listener's plugin does not reach. */
  readonly edit?: (listener: string) => string;
}

export async function openDynamicEnvoy({
  listeners,
  module = join(projectRoot, 'build/rekindle.wasm'),
  edit,
}: DynamicInit): Promise<DynamicEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const ports = await freePorts();
  const shop = await startShop({ shop: ports.shop, fallback: ports.fallback, control: ports.shopControl });
  const { path: binary } = await findEnvoy();
  const file = join(folder, 'listeners.json');
  const derive = async ({ port, plugin }: ListenerInit): Promise<Document> => {
    const text = await deriveEnvoyConfiguration({
      nodeId: 'shop-proxy-1',
      listenerPort: port,
      adminPort: ports.admin,
      shop: loopback(shop.port),
      fallback: loopback(shop.fallbackPort),
      controlPlanes: [loopback(ports.controlPlane)],
      module,
      plugin,
    });
    return JSON.parse(edit === undefined ? text : edit(text)) as Document;
  };
  let version = 0;
  const write = async (inits: readonly ListenerInit[]): Promise<void> => {
    const resources = await Promise.all(
      inits.map(async (init) => {
        const [listener] = (await derive(init)).static_resources.listeners;
        return { '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener', ...listener, name: `port-${init.port}` };
      }),
    );
    // Envoy looks when a file is moved into place.
    await writeFile(`${file}.new`, JSON.stringify({ version_info: String(++version), resources }));
    await rename(`${file}.new`, file);
  };
  const first = listeners(ports);
  await write(first);
  const bootstrap = await derive(first[0]!);
  const configuration = JSON.stringify({
    ...bootstrap,
    static_resources: { ...bootstrap.static_resources, listeners: [] },
    dynamic_resources: { lds_config: { resource_api_version: 'V3', path_config_source: { path: file } } },
  });
  const epochs: EnvoyProcess[] = [];
  const start = async (): Promise<void> => {
    const own = join(folder, `epoch-${epochs.length}`);
    await mkdir(own);
    const more = [...drain, '--restart-epoch', String(epochs.length)];
    const envoy = await startEnvoy({ binary, folder: own, configuration, adminPort: ports.admin, workers: 2, more });
    epochs.push(envoy);
    await envoyReady(envoy);
    await listening(ports.admin);
  };
  onTestFinished(async ({ task }) => {
    for (const envoy of epochs.toReversed()) await envoy.stop();
    await shop.close();
    const traps = module.includes('trapping') ? [] : (await Promise.all(epochs.map((envoy) => envoy.traps()))).flat();
    if (task.result?.state === 'pass') await rm(folder, { recursive: true, force: true });
    else console.log(`logs are left in ${folder}`);
    expect(traps).toEqual([]);
  });
  await start();
  return {
    ports,
    shop,
    envoy: () => epochs.at(-1)!,
    update: async (inits) => {
      const before = await updates(ports.admin);
      await write(inits);
      return waitFor(
        'Envoy to look at its listeners',
        async () => {
          const now = await updates(ports.admin);
          if (now.refused > before.refused) return 'refused';
          return now.taken > before.taken ? 'taken' : null;
        },
        5000,
      );
    },
    restart: async () => {
      const parent = epochs.at(-1)!;
      await start();
      return { parent };
    },
  };
}

async function updates(adminPort: number): Promise<{ taken: number; refused: number }> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=listener_manager.lds.update`)).text();
  const count = (name: string): number => Number(new RegExp(`${name}: (\\d+)`).exec(text)?.[1] ?? 0);
  return { taken: count('update_success'), refused: count('update_rejected') };
}

/** Listeners of the file come after Envoy says that it is ready. */
async function listening(adminPort: number): Promise<void> {
  await waitFor(
    'a listener',
    async () => ((await (await fetch(`http://127.0.0.1:${adminPort}/listeners`)).text()) === '' ? null : true),
    5000,
  );
}
