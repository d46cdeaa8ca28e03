import { BreakerRecord, Conditions, halfOpen, open, Phase } from "./breaker";
import { endProbe, rearmTrial, returnPermit, returnProbe, settleProbe, takePermit, takeProbe } from "./trial";

/** What a worker of a proxy wants to change in a breaker. */
export enum Change {
  Trip = 0,
  StartTrial = 1,
  TakeProbe = 2,
  ReturnProbe = 3,
  ProbeSucceeded = 4,
  ProbeFailed = 5,
  EndProbe = 6,
  RearmTrial = 7,
  TakePermit = 8,
  Guard = 9,
  Unguard = 10,
  ReturnPermit = 11,
}

/** Makes the change if the record, as other workers have left it, still allows it; false: nothing was changed. */
export function apply(change: Change, r: BreakerRecord, c: Conditions): bool {
  switch (change) {
    case Change.Trip:
      if (r.phase != Phase.Closed || r.epoch != c.epoch) return false;
      open(r, c);
      return true;
    case Change.StartTrial:
      if (r.phase != Phase.Open || c.nowMs < r.reopensAtMs) return false;
      halfOpen(r, c);
      return true;
    case Change.TakeProbe:
      return takeProbe(r, c.nowMs);
    case Change.ReturnProbe:
      return r.epoch == c.epoch && returnProbe(r);
    case Change.ProbeSucceeded:
      return r.epoch == c.epoch && settleProbe(r, true, c);
    case Change.ProbeFailed:
      return r.epoch == c.epoch && settleProbe(r, false, c);
    case Change.EndProbe:
      return endProbe(r);
    case Change.RearmTrial:
      return rearmTrial(r, c.nowMs, c.policy);
    case Change.TakePermit:
      return takePermit(r, c.nowMs);
    case Change.ReturnPermit:
      return returnPermit(r, c.nowMs);
    default: // Guard, Unguard
      if (r.phase != Phase.Closed || r.epoch != c.epoch || r.guarded == (change == Change.Guard)) return false;
      r.guarded = change == Change.Guard;
      return true;
  }
}
