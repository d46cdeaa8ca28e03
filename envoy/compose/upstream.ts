// The upstream of docker-compose.yml: the demo's shop, its fallback and its control port.
import { startShop } from '../demo/shop.ts';
import { readPlaces } from './places.ts';

const { listenOn, shop, fallback, shopControl } = readPlaces(process.env);
const upstream = await startShop({ shop: shop.port, fallback: fallback.port, control: shopControl.port }, listenOn);
console.log(`shop on port ${upstream.port}, fallback on ${upstream.fallbackPort}, modes on ${upstream.controlPort}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void upstream.close());
