import { Flag, follow } from "../domain/admission";
import { BreakerRecord, Conditions, Phase } from "../domain/breaker";
import { apply, Change } from "../domain/breaker-change";
import { CheckedWords } from "./checked-words";
import { serviceKey } from "./keys";

const KIND: i64 = 1;
const WORDS = 23;
/** Rounds against other workers before a change is given up; the next tick tries again. */
const TRIES = 16;

/** One feature's breaker record in shared data: every change is read, decided and written under compare-and-set. */
export class SharedBreaker {
  /** Last seen; refreshed by `load` and by each change. */
  record: BreakerRecord = new BreakerRecord();
  private readonly value: CheckedWords;

  constructor(service: string, feature: string) {
    this.value = new CheckedWords(serviceKey(service, "breaker:" + feature), KIND, WORDS);
  }

  load(): void {
    if (this.value.read()) this.decode();
    else if (this.record.epoch > 1) this.keepEpochGrowing();
  }

  /** True for the one worker that made the change. */
  change(change: Change, conditions: Conditions): bool {
    for (let i = 0; i < TRIES; i++) {
      this.load();
      if (!apply(change, this.record, conditions)) return false;
      if (this.save()) return true;
    }
    return false;
  }

  /** Sets the permits of a step; never adds to what is left. True when it changed them. */
  setPermits(step: i64, count: i32, untilMs: i64): bool {
    for (let i = 0; i < TRIES; i++) {
      this.load();
      if (count == 0 && this.record.permits == 0) return false;
      this.record.permits = count;
      this.record.permitStep = step;
      this.record.permitsUntilMs = untilMs;
      if (this.save()) return true;
    }
    return false;
  }

  /** Brings the record in line with flag and lease (R1, R3). True for the worker that changed it. */
  follow(flag: Flag, holds: bool, conditions: Conditions): bool {
    for (let i = 0; i < TRIES; i++) {
      this.load();
      if (this.record.attached == holds && this.record.step == flag.step) return false;
      follow(this.record, flag, holds, conditions);
      if (this.save()) return true;
    }
    return false;
  }

  /** The value is gone or spoilt: begin anew, but never with an epoch that tickets may still hold. */
  private keepEpochGrowing(): void {
    const epoch = this.record.epoch + 1;
    this.record = new BreakerRecord();
    this.record.epoch = epoch;
  }

  private decode(): void {
    const w = this.value.words;
    const r = this.record;
    r.phase = <Phase>clamp(<i32>w[1], 0, 2);
    r.epoch = w[2];
    r.step = w[3];
    r.attached = w[4] != 0;
    r.openedAtMs = w[5];
    r.reopensAtMs = w[6];
    r.openForMs = w[7];
    r.trips = <i32>w[8];
    r.closedAtMs = w[9];
    r.rampFrom = <i32>w[10];
    r.rampStartMs = w[11];
    r.probesTaken = <i32>w[12];
    r.probesSucceeded = <i32>w[13];
    r.probesFailed = <i32>w[14];
    r.probedAtMs = w[15];
    r.permits = <i32>w[16];
    r.permitStep = w[17];
    r.permitsUntilMs = w[18];
    r.blendFrom = <i32>w[19];
    r.blendStartMs = w[20];
    r.guarded = w[21] != 0;
    r.probes = <i32>w[22];
    r.probesInFlight = <i32>w[23];
  }

  private save(): bool {
    const w = this.value.words;
    const r = this.record;
    w[1] = r.phase;
    w[2] = r.epoch;
    w[3] = r.step;
    w[4] = r.attached ? 1 : 0;
    w[5] = r.openedAtMs;
    w[6] = r.reopensAtMs;
    w[7] = r.openForMs;
    w[8] = r.trips;
    w[9] = r.closedAtMs;
    w[10] = r.rampFrom;
    w[11] = r.rampStartMs;
    w[12] = r.probesTaken;
    w[13] = r.probesSucceeded;
    w[14] = r.probesFailed;
    w[15] = r.probedAtMs;
    w[16] = r.permits;
    w[17] = r.permitStep;
    w[18] = r.permitsUntilMs;
    w[19] = r.blendFrom;
    w[20] = r.blendStartMs;
    w[21] = r.guarded ? 1 : 0;
    w[22] = r.probes;
    w[23] = r.probesInFlight;
    return this.value.write();
  }
}

function clamp(value: i32, low: i32, high: i32): i32 {
  return min(max(value, low), high);
}
