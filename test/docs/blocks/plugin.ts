import { DocumentReader } from '../../../control-plane/contract/documents.ts';
import { PluginConfiguration } from '../../../control-plane/contract/plugin-configuration.ts';
import { LogLevel } from '../../filter/host/enums.ts';
import { LoadError } from '../../filter/host/guest.ts';
import { EnvoyProxy } from '../../filter/host/proxy.ts';
import { release } from '../../filter/stream/scene.ts';
import type { Json } from './policy.ts';

const reader = new DocumentReader(PluginConfiguration);

export function isPlugin(document: Json): boolean {
  return Object.keys(document).length > 0 && Object.keys(document).every((key) => key in PluginConfiguration.properties);
}

/** What the filter itself, in the emulated Envoy, or the contract refuses it for. */
export function pluginProblem(document: Json): string | null {
  const configuration = { services: [{ service: 'shop' }], ...document };
  const read = reader.read(structuredClone(configuration));
  if ('problems' in read) return read.problems.map(({ path, reason }) => `${path}: ${reason}`).join('; ');
  const text = JSON.stringify(configuration);
  const proxy = new EnvoyProxy({ module: release, plugin: { configuration: text }, workers: 1 });
  try {
    proxy.addPlugin({ configuration: text });
    return null;
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    return proxy.logs
      .filter(({ level }) => level >= LogLevel.Error)
      .map(({ message }) => message)
      .join('; ');
  }
}
