import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { close, listen, sendJson } from './http-server.ts';
import { createShopControl } from './shop-control.ts';
import { FEATURES, HEALTHY, type ShopFeature, type ShopMode } from './shop-mode.ts';

/** The demo's upstream: three features that can be told to fail, slow down or hang. */
export interface Shop {
  readonly port: number;
  readonly fallbackPort: number;
  readonly controlPort: number;
  setMode(feature: ShopFeature, mode: ShopMode): void;
  /** Requests that arrived per feature since the start, whatever became of them. */
  counts(): Readonly<Record<ShopFeature, number>>;
  /** Calls back on each arrival; for tests that watch what reaches the upstream. */
  onArrival(listener: (arrival: Arrival) => void): void;
  close(): Promise<void>;
}

export interface Arrival {
  readonly feature: ShopFeature;
  /** Monotonic ms, as of `performance.now()`. */
  readonly atMs: number;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Ports to listen on; 0: any. */
export interface ShopPorts {
  readonly shop: number;
  readonly fallback: number;
  readonly control: number;
}

/** Starts the shop, its fallback for recommendations and its control port. A request with `x-shop: ok` is always spared. */
export async function startShop(ports: ShopPorts, host?: string): Promise<Shop> {
  const modes: Record<ShopFeature, ShopMode> = { catalog: HEALTHY, checkout: HEALTHY, recommendations: HEALTHY };
  const arrived: Record<ShopFeature, number> = { catalog: 0, checkout: 0, recommendations: 0 };
  const listeners: ((arrival: Arrival) => void)[] = [];

  const shop = createServer((request, response) => {
    const path = request.url ?? '/';
    const feature = featureOf(path);
    request.resume();
    if (feature === null) {
      sendJson(response, 404, { error: 'no such page' });
      return;
    }
    arrived[feature]++;
    for (const listener of listeners) listener({ feature, atMs: performance.now(), path, headers: request.headers });
    answer(response, feature, path, request.headers['x-shop'] === 'ok' ? HEALTHY : modeOf(feature, modes));
  });
  const fallback = createServer((request, response) => {
    request.resume();
    sendJson(response, 200, { recommended: ['bestseller-1', 'bestseller-2'], from: 'fallback' });
  });
  const control = createShopControl(modes, arrived);
  const [port, fallbackPort, controlPort] = await Promise.all([
    listen(shop, ports.shop, host),
    listen(fallback, ports.fallback, host),
    listen(control, ports.control, host),
  ]);
  return {
    port,
    fallbackPort,
    controlPort,
    setMode: (feature, mode) => {
      modes[feature] = mode;
    },
    counts: () => ({ ...arrived }),
    onArrival: (listener) => listeners.push(listener),
    close: async () => {
      await Promise.all([shop, fallback, control].map(close));
    },
  };
}

function featureOf(path: string): ShopFeature | null {
  return FEATURES.find((feature) => new RegExp(`^/${feature}([/?]|$)`).test(path)) ?? null;
}

/** Recommendations are computed from the catalog: while that is unwell, so are they. */
function modeOf(feature: ShopFeature, modes: Readonly<Record<ShopFeature, ShopMode>>): ShopMode {
  return feature === 'recommendations' && modes.recommendations.mode === 'ok' ? modes.catalog : modes[feature];
}

/** Answers as the mode says; a request that hangs gets nothing until the client or the proxy gives up. */
function answer(response: ServerResponse, feature: ShopFeature, path: string, mode: ShopMode): void {
  if (mode.mode === 'ok' || Math.random() < mode.healthyShare) sendPage(response, feature, path);
  else if (mode.mode === 'fail') sendJson(response, mode.status, { error: `${feature} is down` });
  else if (mode.mode === 'slow') setTimeout(() => sendPage(response, feature, path), mode.delayMs);
}

function sendPage(response: ServerResponse, feature: ShopFeature, path: string): void {
  const { body, cacheControl } = pages[feature](path);
  sendJson(response, 200, body, cacheControl);
}

const pages: Readonly<Record<ShopFeature, (path: string) => { body: unknown; cacheControl: string }>> = {
  catalog: (path) => ({ body: { item: path.split('/').at(-1), price: 1299 }, cacheControl: 'public, max-age=1, stale-if-error=600' }),
  checkout: () => ({ body: { checkout: 'accepted' }, cacheControl: 'no-store' }),
  recommendations: () => ({ body: { recommended: ['for-you-1', 'for-you-2'], from: 'shop' }, cacheControl: 'no-store' }),
};
