import type { ServiceState } from '../domain/model.ts';

/** Services that name one group share an upstream and its probe budget (R8). */
export function groupOf({ service, policy }: ServiceState): string {
  return policy.recovery.upstreamGroup ?? service;
}
