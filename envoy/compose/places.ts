import type { Place } from '../demo/envoy-configuration.ts';
import { wellKnownPorts } from '../demo/ports.ts';

/** Where the parts of docker-compose.yml find each other. */
export interface Places {
  /** Address that the servers of this container listen on. */
  readonly listenOn: string;
  readonly envoy: Place;
  readonly envoyAdmin: Place;
  readonly shop: Place;
  readonly fallback: Place;
  readonly shopControl: Place;
  readonly controlPlanes: readonly Place[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** As compose names them, unless a variable such as `SHOP=127.0.0.1:8081` says otherwise. Throws what is wrong with one. */
export function readPlaces(environment: Environment): Places {
  const { listener, admin, shop, fallback, shopControl, controlPlane } = wellKnownPorts;
  const placesIn = (name: string, usual: string): Place[] => (environment[name] || usual).split(',').map((text) => parsePlace(name, text));
  const placeIn = (name: string, host: string, port: number): Place => parsePlace(name, environment[name] || `${host}:${port}`);
  return {
    listenOn: environment['LISTEN_ON'] || '0.0.0.0',
    envoy: placeIn('ENVOY', 'envoy', listener),
    envoyAdmin: placeIn('ENVOY_ADMIN', 'envoy', admin),
    shop: placeIn('SHOP', 'upstream', shop),
    fallback: placeIn('FALLBACK', 'upstream', fallback),
    shopControl: placeIn('SHOP_CONTROL', 'upstream', shopControl),
    controlPlanes: placesIn('CONTROL_PLANES', `control-plane-1:${controlPlane},control-plane-2:${controlPlane}`),
  };
}

function parsePlace(name: string, text: string): Place {
  const [, host, port] = /^([A-Za-z0-9.-]+):(\d{1,5})$/.exec(text.trim()) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new Error(`${name} wants HOST:PORT, got ${JSON.stringify(text)}`);
  return { host, port: Number(port) };
}
