import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectionManagers, type Json, type MeshProxy } from './istiod.ts';

const RBAC = 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC';

/** What the Istio agent beside a proxy does with ECDS: resources go into files of a folder, remote modules become local ones. */
export class Agent {
  private readonly folder: string;
  private version = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Points a proxy's discovery at the folder, in the place of ADS. */
  takeOver(proxy: MeshProxy): void {
    for (const { listener } of proxy.listeners) {
      for (const { name, config_discovery: discovery } of connectionManagers(listener).flatMap(({ http_filters }) => http_filters)) {
        if (!discovery) continue;
        const { ads, ...source } = discovery.config_source;
        if (JSON.stringify(ads) !== '{}') throw new Error('expected discovery over ADS');
        discovery.config_source = { ...source, path_config_source: { path: this.fileOf(name) } };
      }
    }
  }

  /** Hands the resources to Envoy; `download` is the module that the fetch brings, null: it fails. Digests of images are not looked at. */
  deliver(proxy: MeshProxy, download: string | null): void {
    this.version++;
    for (const { name, typed_config } of proxy.extensions) {
      const resource = this.isFetched(typed_config, download) ? localised(typed_config, download as string) : substitute(typed_config);
      const extension = { '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig', name, typed_config: resource };
      const file = this.fileOf(name);
      writeFileSync(`${file}.new`, JSON.stringify({ version_info: String(this.version), resources: [extension] }));
      renameSync(`${file}.new`, file);
    }
  }

  private isFetched({ config }: Json, download: string | null): boolean {
    if (download === null) return false;
    const { http_uri, sha256 } = config.vm_config.code.remote;
    return http_uri.uri.startsWith('oci:') || createHash('sha256').update(readFileSync(download)).digest('hex') === sha256;
  }

  private fileOf(name: string): string {
    return join(this.folder, `${name}.json`);
  }
}

/** A Wasm configuration with its module in a file. */
export function localised(typedConfig: Json, filename: string): Json {
  const copy = structuredClone(typedConfig);
  copy.config.vm_config.code = { local: { filename } };
  return copy;
}

/** Everything is denied, or with FAIL_OPEN allowed. */
function substitute({ config }: Json): Json {
  return { '@type': RBAC, ...(config.failure_policy === 'FAIL_OPEN' ? {} : { rules: {} }), rules_stat_prefix: 'wasm-default' };
}
