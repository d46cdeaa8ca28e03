import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';
import { findEnvoy } from '../../scripts/servers.ts';
import { type Child, tailOf } from './child.ts';
import { startControlPlane } from './control-plane-process.ts';
import { loopback, type PluginJson } from './envoy-configuration.ts';
import { type EnvoyProcess, envoyReady, launchEnvoy } from './envoy-process.ts';
import type { StagePorts } from './ports.ts';
import { type Shop, startShop } from './shop.ts';

export interface StageOptions {
  readonly ports: StagePorts;
  /** Takes the logs, Envoy's configuration and the control plane's store. */
  readonly folder: string;
  /** Changes the plugin configuration of envoy/envoy.yaml. */
  readonly plugin?: (configuration: PluginJson) => unknown;
  /** Path of the compiled filter; default: the one of this build. */
  readonly module?: string;
  /** Takes the place of the `stats_config` of envoy/envoy.yaml. */
  readonly statsConfig?: object;
  /** Changes of the route to the shop. */
  readonly shopRoute?: object;
  /** Whether the control plane runs from the start. */
  readonly controlPlane: boolean;
  /** Settings of the control plane beside its port and folder. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The Redis or Valkey of the control plane; without it the embedded store. */
  readonly redisUrl?: string | undefined;
  /** Replicas of the control plane, which need `redisUrl` to be two. */
  readonly replicas?: 1 | 2 | undefined;
  /** Told of a server that died without being asked to. */
  readonly onDeath: (report: string) => void;
}

/** Logs that a stage leaves in its folder. */
export const LOGS = ['control-plane.log', 'control-plane-2.log', 'envoy.log'] as const;

/** A running shop, control plane and Envoy on loopback. */
export interface Stage {
  readonly ports: StagePorts;
  readonly folder: string;
  readonly shop: Shop;
  readonly envoy: EnvoyProcess;
  readonly envoyVersion: string;
  /** The control plane's process, of two replicas the first; null while it is away. */
  controlPlane(): Child | null;
  startControlPlane(): Promise<void>;
  /** `kill`: without a goodbye. */
  stopControlPlane(how: 'stop' | 'kill'): Promise<void>;
  /** Ends every process; may be called again. */
  stop(): Promise<void>;
}

/** Starts everything and waits until it serves. On a failure nothing is left running. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const { ports, folder } = options;
  const envoyServer = await findEnvoy();
  await mkdir(folder, { recursive: true });
  await Promise.all(LOGS.map((log) => rm(join(folder, log), { force: true })));
  const endings: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  const supervise = (child: Child): void => {
    void child.exited.then(({ code, signal }) => {
      if (child.wasStopped()) return;
      options.onDeath(`${child.name} died (${signal ?? `exit code ${code}`}); the end of ${child.logFile}:\n${tailOf(child.logFile)}`);
    });
  };
  try {
    const shop = await startShop({ shop: ports.shop, fallback: ports.fallback, control: ports.shopControl });
    endings.push(() => shop.close());

    let controlPlane: Child | null = null;
    const stopControlPlane = async (how: 'stop' | 'kill'): Promise<void> => {
      const child = controlPlane;
      controlPlane = null;
      await child?.[how]();
    };
    const settings = { ...options.settings, ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }) };
    const start = async (): Promise<void> => {
      controlPlane = await startControlPlane(ports.controlPlane, folder, settings);
      supervise(controlPlane);
    };
    endings.push(() => stopControlPlane('stop'));
    if (options.controlPlane) await start();
    if (options.replicas === 2) {
      const replica = await startControlPlane(ports.replica, folder, settings, 'control-plane-2');
      endings.push(() => replica.stop());
      supervise(replica);
    }

    const envoy = await launchEnvoy(envoyServer.path, folder, {
      nodeId: 'shop-proxy-1',
      listenerPort: ports.listener,
      adminPort: ports.admin,
      shop: loopback(shop.port),
      fallback: loopback(shop.fallbackPort),
      controlPlanes: [ports.controlPlane, ...(options.replicas === 2 ? [ports.replica] : [])].map(loopback),
      module: options.module ?? join(projectRoot, 'build/rekindle.wasm'),
      ...(options.plugin === undefined ? {} : { plugin: options.plugin }),
      ...(options.statsConfig === undefined ? {} : { statsConfig: options.statsConfig }),
      ...(options.shopRoute === undefined ? {} : { shopRoute: options.shopRoute }),
    });
    endings.push(() => envoy.stop());
    await envoyReady(envoy);
    supervise(envoy);
    return {
      ports,
      folder,
      shop,
      envoy,
      envoyVersion: envoyServer.version,
      controlPlane: () => controlPlane,
      startControlPlane: start,
      stopControlPlane,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
