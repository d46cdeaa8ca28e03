import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readJson, sendJson } from './http-server.ts';
import { FEATURES, parseShopMode, type ShopFeature, type ShopMode } from './shop-mode.ts';

const usage = 'GET /features, GET /counts, POST /features/{catalog|checkout|recommendations}';
const modeUsage = 'want {"mode": "ok"|"fail"|"slow"|"hang", "status"?: 400-599, "delayMs"?, "healthyShare"?: 0-1}';

/** The shop's control port: `POST /features/{feature}` sets a mode, `GET /features` shows them, `GET /counts` the arrivals. */
export function createShopControl(modes: Record<ShopFeature, ShopMode>, arrived: Readonly<Record<ShopFeature, number>>): Server {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET' && request.url === '/features') return sendJson(response, 200, modes);
    if (request.method === 'GET' && request.url === '/counts') return sendJson(response, 200, arrived);
    const feature = FEATURES.find((name) => request.url === `/features/${name}`);
    if (request.method !== 'POST' || feature === undefined) return sendJson(response, 404, { error: usage });
    const mode = parseShopMode(await readJson(request));
    if (mode === null) return sendJson(response, 400, { error: modeUsage });
    modes[feature] = mode;
    return sendJson(response, 200, modes);
  };
  return createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
}
