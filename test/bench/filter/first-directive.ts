import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { putPolicy, startControlPlane } from '../../../envoy/demo/control-plane-process.ts';
import { shopPolicy } from '../../../envoy/demo/demo.ts';
import { loopbackCluster } from '../../../envoy/demo/envoy-listeners.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { filterOf } from './contestants.ts';
import { atMost, ms, type Section } from './figure.ts';
import { directResponse, planListener, startMeasured } from './side-by-side.ts';

/** From the filter's start in a new Envoy until its stats show the control plane's directive. */
export async function firstDirective(folder: string, boots: number): Promise<Section> {
  await mkdir(folder, { recursive: true });
  const controlPlanePort = await freePort();
  const controlPlane = await startControlPlane(controlPlanePort, folder);
  try {
    const revision = await putPolicy(controlPlanePort, await shopPolicy());
    const waits: number[] = [];
    for (let boot = 0; boot < boots; boot++) waits.push(await bootOnce(join(folder, `boot-${boot}`), controlPlanePort, revision));
    return {
      title: 'First directive',
      text: `${boots} boots of an Envoy, from the line by which the filter tells that it is configured until the stats show the revision.`,
      header: [],
      rows: [],
      figures: [atMost('first directive at a new proxy, the slowest boot', Math.max(...waits), 1000, ms)],
    };
  } finally {
    await controlPlane.stop();
  }
}

async function bootOnce(folder: string, controlPlanePort: number, revision: number): Promise<number> {
  const plugin = { services: [{ service: 'shop' }], controlPlane: { cluster: 'rekindle-control-plane', authority: 'rekindle' } };
  const plan = await planListener('proxy', [await filterOf('proxy', plugin)], directResponse(64));
  const envoy = await startMeasured(folder, [plan], [loopbackCluster('rekindle-control-plane', controlPlanePort)]);
  try {
    const holds = async (): Promise<number | null> => {
      const held = valueIn(await envoy.metrics(), 'rekindle_directive_revision', { service: 'shop' });
      return held !== null && held >= revision ? Date.now() : null;
    };
    const heldAtMs = await waitFor('the directive', holds, 10_000, 5);
    return heldAtMs - configuredAtMs(await readFile(envoy.logFile, 'utf8'));
  } finally {
    await envoy.stop();
  }
}

/** Time of the last root context's `version …` line: the canary's and the main thread's come before the worker's. */
function configuredAtMs(log: string): number {
  const lines = log.split('\n').filter((line) => / version [^ ]+, 1 services/.test(line));
  const stamp = /\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\]/.exec(lines.at(-1) ?? '');
  if (stamp === null) throw new Error("Envoy's log does not tell when the filter was configured");
  return Date.parse(`${stamp[1]}T${stamp[2]}`);
}
