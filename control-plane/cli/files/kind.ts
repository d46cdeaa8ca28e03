/** What a document is meant to be. */
export type DocumentKind = 'policy' | 'plugin-configuration' | 'kubernetes' | 'envoy' | 'unknown';

const ENVOY_MEMBERS = ['static_resources', 'dynamic_resources', 'admin', 'stats_config'];

export function kindOf(document: unknown): DocumentKind {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return 'unknown';
  if ('apiVersion' in document && 'kind' in document) return 'kubernetes';
  if ('services' in document) return 'plugin-configuration';
  if (ENVOY_MEMBERS.some((member) => member in document)) return 'envoy';
  return 'service' in document || 'features' in document ? 'policy' : 'unknown';
}
