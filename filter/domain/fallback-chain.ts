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
  private kinds: StaticArray<RungKind>;
  private inResponse: StaticArray<i32>; // rung index[kinds.length]

  constructor(chain: RungPolicy[]) {
    const size = chain.length;
    const kinds = new StaticArray<RungKind>(size);
    const inResponse = new StaticArray<i32>(size);
    let placed = 0;
    for (let i = 0; i < size; i++) {
      kinds[i] = chain[i].kind;
      if (kinds[i] != RungKind.Cluster) inResponse[placed++] = i;
    }
    for (let i = 0; i < size; i++) {
      if (kinds[i] == RungKind.Cluster) inResponse[placed++] = i;
    }
    this.kinds = kinds;
    this.inResponse = inResponse;
  }

  /**
   * Index of the rung to try after rung `after` could not answer (-1: none was tried yet), -1 when none is left.
   * `repeatable`: the method is safe and the request has no body; without it no call-out can stand in for a failed answer.
   */
  next(phase: ChainPhase, after: i32, repeatable: bool): i32 {
    if (phase == ChainPhase.Request) return after + 1 < this.kinds.length ? after + 1 : -1;
    for (let place = this.placeAfter(after); place < this.inResponse.length; place++) {
      const rung = this.inResponse[place];
      if (repeatable || this.kinds[rung] != RungKind.Cluster) return rung;
    }
    return -1;
  }

  private placeAfter(rung: i32): i32 {
    for (let place = 0; place < this.inResponse.length; place++) {
      if (this.inResponse[place] == rung) return place + 1;
    }
    return 0;
  }
}
