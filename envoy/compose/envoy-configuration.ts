// Prints the Envoy configuration of docker-compose.yml: envoy/envoy.yaml with the names of the services. MODULE: path of the filter.
import { deriveEnvoyConfiguration } from '../demo/envoy-configuration.ts';
import { readPlaces } from './places.ts';

const { listenOn, envoy, envoyAdmin, shop, fallback, controlPlanes } = readPlaces(process.env);
const configuration = await deriveEnvoyConfiguration({
  nodeId: 'shop-proxy-1',
  listenerPort: envoy.port,
  adminPort: envoyAdmin.port,
  listenOn,
  shop,
  fallback,
  controlPlanes,
  module: process.env['MODULE'] || '/etc/envoy/rekindle.wasm',
});
console.log(configuration);
