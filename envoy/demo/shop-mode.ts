export const FEATURES = ['catalog', 'checkout', 'recommendations'] as const;
export type ShopFeature = (typeof FEATURES)[number];

/** How a feature of the demo shop behaves. */
export type ShopMode =
  | { readonly mode: 'ok' }
  | { readonly mode: 'fail'; readonly status: number; readonly healthyShare: number }
  | { readonly mode: 'slow'; readonly delayMs: number; readonly healthyShare: number }
  | { readonly mode: 'hang'; readonly healthyShare: number };

export const HEALTHY: ShopMode = { mode: 'ok' };

/** Reads `{mode, status?, delayMs?, healthyShare?}`; null means wrong. `healthyShare` (0 to 1) of the requests stays well. */
export function parseShopMode(value: unknown): ShopMode | null {
  if (typeof value !== 'object' || value === null) return null;
  const { mode, status = 503, delayMs = 2000, healthyShare = 0, ...unknown } = value as Record<string, unknown>;
  if (Object.keys(unknown).length > 0 || !isWithin(healthyShare, 0, 1)) return null;
  switch (mode) {
    case 'ok':
      return HEALTHY;
    case 'fail':
      return isWithin(status, 400, 599) && Number.isInteger(status) ? { mode, status, healthyShare } : null;
    case 'slow':
      return isWithin(delayMs, 0, 600_000) ? { mode, delayMs, healthyShare } : null;
    case 'hang':
      return { mode, healthyShare };
    default:
      return null;
  }
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
