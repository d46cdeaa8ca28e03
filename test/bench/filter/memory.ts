import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project-root.ts';
import { WasmModule } from '../../filter/host/module.ts';
import { EnvoyProxy } from '../../filter/host/proxy.ts';
import { filterOf, PATH } from './contestants.ts';
import type { Figure, Section } from './figure.ts';
import { load, residentBytes } from './machine.ts';
import { directResponse, planListener, startMeasured } from './side-by-side.ts';

/** Growth after warm-up that counts as none, in percent. */
const FLAT_PERCENT = 5;
/** Share of the requests that warms up. */
const WARM_UP = 0.1;

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Memory of the filter over many requests: of the VMs in the emulated Envoy with mixed outcomes, and of a real Envoy under load. */
export async function flatMemory(folder: string, requests: number, say: (line: string) => void): Promise<Section> {
  const figures = [emulated(requests, say), await real(folder, requests, say)];
  return {
    title: 'Memory',
    text: `${requests.toLocaleString('en')} requests each; growth from the first tenth of them to the end. By \`npm run bench:memory\`.`,
    header: [],
    rows: [],
    figures,
  };
}

function flat(what: string, warm: number, end: number): Figure {
  const percent = ((end - warm) * 100) / warm;
  return {
    what,
    measured: `${mib(warm)} → ${mib(end)}, ${percent.toFixed(1)} %`,
    bar: `± ${FLAT_PERCENT} %`,
    isMet: Math.abs(percent) <= FLAT_PERCENT,
  };
}

const breaker = { minimumRequests: 20, openMs: 1000, openCapMs: 2000, rampMs: 1000 };
const plugin = {
  mode: 'enforce',
  cache: { entries: 256, maxBodyBytes: 65_536 },
  services: [
    {
      service: 'shop',
      policy: {
        service: 'shop',
        features: [
          {
            name: 'catalog',
            routes: [{ path: { template: '/catalog/items/{id}' } }],
            breaker,
            fallback: [{ stale: {} }, { static: { body: 'x' } }],
          },
          { name: 'checkout', routes: [{ path: { prefix: '/checkout' } }], breaker, fallback: [{ static: { body: 'x' } }] },
        ],
      },
    },
  ],
};

/** A minute in which a tenth of the time is an outage; thousands of paths, bodies in chunks, clients that leave. */
function emulated(requests: number, say: (line: string) => void): Figure {
  const module = WasmModule.fromFile(join(projectRoot, 'build/rekindle.wasm'));
  const proxy = EnvoyProxy.start({ module, plugin: { configuration: JSON.stringify(plugin) } });
  const headers = { 'cache-control': 'public, max-age=1', 'content-type': 'text/plain' };
  const bytes = (): number => proxy.threads.reduce((sum, { vm }) => sum + vm.guest.memory.buffer.byteLength, 0);
  let warm = 0;
  for (let n = 0; n < requests; n++) {
    if (n === Math.floor(requests * WARM_UP)) warm = bytes();
    if (n % 50 === 0) proxy.advance(50);
    const isOutage = proxy.clock.nowMs % 60_000 < 6000;
    const path = n % 4 === 0 ? '/checkout' : `/catalog/items/${(n * 7919) % 5000}`;
    const stream = proxy.request({ path, worker: n % 2 });
    if (n % 97 === 0) stream.cancel();
    else stream.upstream?.answer(isOutage ? { status: 503, body: 'down' } : { status: 200, headers, body: ['one', 'two', 'three'] });
    proxy.arrivals.length = 0;
    if (n % 1_000_000 === 0 && n > 0) say(`emulated: ${n} requests, VMs ${mib(bytes())}`);
  }
  if (proxy.hazards.length > 0 || proxy.liveVms.length !== proxy.threads.length)
    throw new Error(`a VM failed: ${proxy.hazards.join('; ')}`);
  return flat('linear memory of three VMs, emulated Envoy, mixed outcomes', warm, bytes());
}

async function real(folder: string, requests: number, say: (line: string) => void): Promise<Figure> {
  const plan = await planListener('memory', [await filterOf('memory', plugin)], directResponse(1024));
  const envoy = await startMeasured(folder, [plan], []);
  try {
    let done = 0;
    let warm = 0;
    while (done < requests) {
      done += await load({ port: plan.port, path: PATH, seconds: 10, connections: 64 });
      if (warm === 0 && done >= requests * WARM_UP) warm = residentBytes(envoy.pid);
      say(`Envoy: ${done} requests, resident ${mib(residentBytes(envoy.pid))}`);
    }
    return flat('resident memory of Envoy with a `stale` rung, one worker', warm, residentBytes(envoy.pid));
  } finally {
    await envoy.stop();
  }
}
