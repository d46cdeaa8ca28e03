import type { Evidence, ServiceState, StepResult } from '../domain/model.ts';
import { coldStartHold, resume } from '../domain/recovery/cold-start.ts';
import { step } from '../domain/recovery/step.ts';
import { Deposed, type Fleet } from '../fleet.ts';
import type { Fence } from '../store/store.ts';
import { type Change, changeBy, TICKER } from './change.ts';
import type { Lead, Leadership } from './lead.ts';
import type { FleetService } from './service.ts';

/** One tick of one service: what the evidence of this moment asks for is written, if anything. */
export async function tickService(
  fleet: Fleet,
  service: FleetService,
  lead: Pick<Lead, 'present'>,
  { fence, sinceMs }: Leadership,
  others: readonly number[],
): Promise<void> {
  let acted: StepResult | null = null;
  let resumed = false;
  let decidedAtMs = fleet.clock();
  const decide = (): Change | null => {
    if (!isSame(lead.present?.fence, fence)) throw new Deposed(`the lease ran out before ${service.name} was looked at`);
    const { state } = service;
    if (!state) return null;
    const nowMs = fleet.clock();
    decidedAtMs = nowMs;
    const evidence = service.bookOf(state).evidence(state, nowMs);
    const isCold = !isSame(service.resumedUnder, fence);
    service.holding = isCold ? coldStartHold(state, evidence, sinceMs, nowMs) : null;
    if (service.holding) return null;
    resumed = isCold;
    acted = isCold ? resume(state, nowMs, fleet.random) : stepped(fleet, state, evidence, nowMs, others);
    if (service.isTooSoonForNodes(acted.state, nowMs)) return null;
    return changeBy(TICKER, state, acted, nowMs);
  };
  await fleet.change(service.name, decide, fence);
  if (resumed) service.resumedUnder = fence;
  if (acted) service.keep(acted);
  service.tickedAtMs = decidedAtMs;
}

function stepped(fleet: Fleet, state: ServiceState, evidence: Evidence, nowMs: number, rampingElsewhere: readonly number[]): StepResult {
  return step(state, evidence, nowMs, fleet.random, { rampingElsewhere });
}

function isSame(a: Fence | null | undefined, b: Fence): boolean {
  return a?.lineage === b.lineage && a.counter === b.counter;
}
