import { join } from 'node:path';
import { rekindleFilter } from '../../../envoy/demo/envoy-listeners.ts';
import { admissionControlFilter } from '../../../envoy/demo/overload/variants.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { emptyModule } from './empty-module.ts';

/** What all listeners are asked for: it belongs to a feature, and may be stored. */
export const PATH = '/catalog/items/42';

/** One way to build a listener, whose cost is compared with that of the others. */
export interface Contestant {
  readonly name: string;
  /** HTTP filters before the router. */
  filters(): Promise<readonly object[]>;
}

/** Path match, status count and timing: what the filter does on the happy path, by the nearest means that Envoy has. */
const luaSource = `
local counts = {}
function envoy_on_request(handle)
  local path = handle:headers():get(":path")
  if string.find(path, "^/catalog/items/[^/]+$") then
    handle:streamInfo():dynamicMetadata():set("bench", "start", handle:timestamp())
  end
end
function envoy_on_response(handle)
  local status = handle:headers():get(":status")
  counts[status] = (counts[status] or 0) + 1
  local start = handle:streamInfo():dynamicMetadata():get("bench")
  if start then local took = handle:timestamp() - start["start"] end
end`;

export const BARE: Contestant = { name: 'bare Envoy', filters: async () => [] };

export const EMPTY: Contestant = {
  name: 'empty Wasm filter',
  filters: async () => {
    const vm_config = { vm_id: 'empty', runtime: 'envoy.wasm.runtime.v8', code: { local: { filename: await emptyModule() } } };
    const type = 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm';
    return [{ name: 'empty', typed_config: { '@type': type, config: { name: 'empty', root_id: 'empty', vm_config } } }];
  },
};

export const LUA: Contestant = {
  name: 'Lua: path match, status count, timing',
  filters: async () => {
    const type = 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua';
    return [{ name: 'lua', typed_config: { '@type': type, default_source_code: { inline_string: luaSource } } }];
  },
};

export const ADMISSION_CONTROL: Contestant = { name: 'admission_control', filters: async () => [admissionControlFilter] };

const staticRung = { static: { status: 200, body: 'standing in' } };
const staleRung = { stale: { maxStaleMs: 600_000, refreshMs: 5000 } };

export const REKINDLE = rekindle('Rekindle, 1 feature', { features: 1 });
export const REKINDLE_512 = rekindle('Rekindle, 512 features', { features: 512 });
export const REKINDLE_SHADOW = rekindle('Rekindle, 1 feature, shadow', { features: 1, mode: 'shadow' });
export const REKINDLE_STALE = rekindle('Rekindle, 1 feature, with a stale rung', { features: 1, fallback: [staleRung, staticRung] });

interface RekindleOptions {
  readonly features: number;
  readonly mode?: string;
  readonly fallback?: readonly object[];
}

/** The last of the features is the one that the load belongs to. */
function rekindle(name: string, { features, mode = 'enforce', fallback = [staticRung] }: RekindleOptions): Contestant {
  const id = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const routeOf = (n: number): string => (n === features - 1 ? '/catalog/items/{id}' : `/catalog${n}/items/{id}`);
  const list = Array.from({ length: features }, (_, n) => ({
    name: `feature-${n}`,
    routes: [{ path: { template: routeOf(n) } }],
    failure: { slowMs: 1000 },
    fallback,
  }));
  const services = [{ service: id, policy: { service: id, features: list } }];
  return { name, filters: async () => [await filterOf(id, { mode, cache: { entries: 256, maxBodyBytes: 65_536 }, services })] };
}

/** The filter of the release module with this plugin configuration. */
export function filterOf(name: string, plugin: object): Promise<object> {
  return rekindleFilter({ name, module: join(projectRoot, 'build/rekindle.wasm'), plugin });
}
