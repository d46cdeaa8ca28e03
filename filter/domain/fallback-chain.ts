import { RungKind, RungPolicy } from "./policy";

export enum ChainPhase {
  /** The request was refused: nothing has reached the upstream. */
  Request = 0,
  /** The upstream failed, its answer is at hand. */
  Response = 1,
}

/**
 * In which order the rungs of one chain are tried. Request phase: as declared. Response phase: those that answer at once
 * (stale, static) first, each group as declared, since an answer that is held for a call-out can be lost.
 */
export class ChainOrder {
  private readonly inResponse: StaticArray<i32>; // rung index[chain.length]

  constructor(private readonly chain: RungPolicy[]) {
    const order = new StaticArray<i32>(chain.length);
    let placed = 0;
    for (let i = 0; i < chain.length; i++) if (chain[i].kind != RungKind.Cluster) order[placed++] = i;
    for (let i = 0; i < chain.length; i++) if (chain[i].kind == RungKind.Cluster) order[placed++] = i;
    this.inResponse = order;
  }

  /**
   * Index of the rung to try after rung `after` could not answer (-1: none was tried yet), -1 when none is left. `reason`: why the
   * chain runs. `repeatable`: the method is safe and the request has no body; without it no call-out can stand in for a failed answer.
   */
  next(phase: ChainPhase, after: i32, repeatable: bool, reason: i32): i32 {
    for (let place = this.placeAfter(phase, after); place < this.chain.length; place++) {
      const at = phase == ChainPhase.Request ? place : this.inResponse[place];
      const rung = this.chain[at];
      const canCall = phase == ChainPhase.Request || repeatable || rung.kind != RungKind.Cluster;
      if (canCall && rung.answers(reason)) return at;
    }
    return -1;
  }

  private placeAfter(phase: ChainPhase, rung: i32): i32 {
    if (phase == ChainPhase.Request) return rung + 1;
    for (let place = 0; place < this.inResponse.length; place++) if (this.inResponse[place] == rung) return place + 1;
    return 0;
  }
}
