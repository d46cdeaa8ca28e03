import type { Evidence, ServiceState, StepResult } from '../domain/model.ts';
import { coldStartHold, resume } from '../domain/recovery/cold-start.ts';
import { step } from '../domain/recovery/step.ts';
import type { Fleet } from '../fleet.ts';
import type { Fence } from '../store/store.ts';
import { type Change, changeBy, TICKER } from './change.ts';
import type { FleetService } from './service.ts';

/** A leadership of this process. */
export interface Leadership {
  readonly fence: Fence;
  readonly sinceMs: number;
}

/** One tick of one service: what the evidence of this moment asks for is written, if anything. */
export async function tickService(
  fleet: Fleet,
  service: FleetService,
  { fence, sinceMs }: Leadership,
  others: readonly number[],
): Promise<void> {
  let acted: StepResult | null = null;
  let resumed = false;
  const decide = (): Change | null => {
    const { state } = service;
    if (!state) return null;
    const nowMs = fleet.clock();
    const evidence = service.bookOf(state).evidence(state, nowMs);
    const isCold = service.resumedUnder !== fence.counter;
    service.holding = isCold ? coldStartHold(state, evidence, sinceMs, nowMs) : null;
    if (service.holding) return null;
    resumed = isCold;
    acted = isCold ? resume(state, nowMs, fleet.random) : stepped(fleet, state, evidence, nowMs, others);
    if (service.isTooSoonForNodes(acted.state, nowMs)) return null;
    return changeBy(TICKER, state, acted, nowMs);
  };
  await fleet.change(service.name, decide, fence);
  if (resumed) service.resumedUnder = fence.counter;
  if (acted) service.keep(acted);
  service.tickedAtMs = fleet.clock();
}

function stepped(fleet: Fleet, state: ServiceState, evidence: Evidence, nowMs: number, rampingElsewhere: readonly number[]): StepResult {
  return step(state, evidence, nowMs, fleet.random, { rampingElsewhere });
}
