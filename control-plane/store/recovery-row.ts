import type { Recovery } from '../domain/model.ts';

/** Recoveries that were written before they had these members. */
export function whole(recovery: Recovery): Recovery {
  return { ...{ pauses: [], interventions: 0 }, ...recovery };
}
