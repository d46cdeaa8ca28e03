import type { Manifest, ManifestService } from './read.ts';

/** Name of the cluster that a manifest adds for the control plane. */
export const ADDED_CLUSTER = 'rekindle-control-plane';

/** The filter's configuration. */
export function pluginConfiguration(manifest: Manifest): object {
  const { mode, context, services, sharedCopies, fallbackClusters, probeClusters } = manifest;
  const controlPlane = controlPlaneOf(manifest);
  return {
    mode,
    ...(controlPlane === null ? {} : { controlPlane }),
    ...(sharedCopies ? { cache: { shared: true } } : {}),
    ...(fallbackClusters.length > 0 ? { fallbackClusters } : {}),
    ...(probeClusters.length > 0 ? { probeClusters } : {}),
    services: services.map((entry) => (context === 'inbound' ? alone(entry) : entry)),
  };
}

/** Each sidecar has an upstream of its own behind its inbound side: what others see of theirs says nothing about it (R10). */
function alone({ policy, ...entry }: ManifestService): ManifestService {
  const { service, ...rest } = policy;
  return { ...entry, policy: { service, ...rest, recovery: { ...policy.recovery, scope: 'proxy' } } };
}

function controlPlaneOf({ controlPlane, controlPlaneHost: host, controlPlanePort: port, token }: Manifest): object | null {
  if (controlPlane === 'none') return null;
  const cluster = controlPlane === 'mesh-service' ? `outbound|${port}||${host}` : ADDED_CLUSTER;
  return { cluster, authority: `${host}:${port}`, ...(token === undefined ? {} : { token }) };
}

const WIDTH = 100;

/** JSON for people: what fits on a line stands on one. */
export function readableJson(value: unknown, margin = ''): string {
  const short = oneLine(value);
  if (typeof value !== 'object' || value === null || margin.length + short.length <= WIDTH) return short;
  const inner = `${margin}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const lines = Array.isArray(value)
    ? value.map((item) => readableJson(item, inner))
    : Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${readableJson(member, inner)}`);
  return `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${margin}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${oneLine(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
