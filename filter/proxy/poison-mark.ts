import { monotonicMs } from "../abi/clock";
import { CheckedWords } from "./checked-words";

const KIND: i64 = 6;
const TRIES = 8;
/** What somebody began to read and did not finish within this killed its VM. More than a tick, since workers can be descheduled. */
const POISON_AFTER_MS: i64 = 250;

/** [1] name being tried, [2] busy, [3] since, [4] how many were quarantined, then their names. All of it may come from a foreign hand. */
const FIRST: i32 = 5;
const QUARANTINED: i32 = 8;

export enum Begin {
  Go = 0,
  /** Another VM is at it: look again on the next tick. */
  Busy = 1,
  /** It trapped the VM that tried it. */
  Poison = 2,
}

/**
 * The quarantine: a VM says what it is about to read before it does, and that it is done after. Whoever finds an old mark knows that
 * its writer died of it, and from then on leaves that thing alone.
 */
export class PoisonMark {
  private readonly value: CheckedWords;

  constructor(key: ArrayBuffer) {
    this.value = new CheckedWords(key, KIND, FIRST + QUARANTINED - 1);
  }

  begin(name: i64): Begin {
    // Read here: the time of the tick may be older than others' marks.
    const nowMs = monotonicMs();
    const words = this.value.words;
    for (let i = 0; i < TRIES; i++) {
      if (this.value.read()) {
        if (this.isQuarantined(name)) return Begin.Poison;
        const busy = words[2] != 0;
        if (busy && nowMs - words[3] <= POISON_AFTER_MS) return Begin.Busy;
        if (busy) this.quarantine(words[1]);
      } else words[4] = 0;
      const poison = this.isQuarantined(name);
      words[1] = name;
      words[2] = poison ? 0 : 1;
      words[3] = nowMs;
      if (this.value.write()) return poison ? Begin.Poison : Begin.Go;
    }
    return Begin.Busy;
  }

  /** A ring: as many names as fit are remembered. Its cursor also says how many there were. */
  private quarantine(name: i64): void {
    const words = this.value.words;
    words[FIRST + <i32>(<u64>words[4] % QUARANTINED)] = name;
    words[4]++;
  }

  private release(name: i64): bool {
    const words = this.value.words;
    let found = false;
    for (let i = 0; i < QUARANTINED; i++) {
      if (words[FIRST + i] != name) continue;
      words[FIRST + i] = 0;
      found = true;
    }
    return found;
  }

  private isQuarantined(name: i64): bool {
    const words = this.value.words;
    const count = <i32>min<i64>(max<i64>(words[4], 0), QUARANTINED);
    for (let i = 0; i < count; i++) if (words[FIRST + i] == name) return true;
    return false;
  }

  end(name: i64): void {
    const words = this.value.words;
    for (let i = 0; i < TRIES; i++) {
      if (!this.value.read()) return;
      // Whoever finishes did not die of it, however long it took.
      const released = this.release(name);
      if (words[1] != name && !released) return;
      if (words[1] == name) words[2] = 0;
      if (this.value.write()) return;
    }
  }

  /** Whether somebody began and has not finished: for a VM that starts and may write nothing yet. */
  isTried(name: i64): bool {
    if (!this.value.read()) return false;
    return this.isQuarantined(name) || (this.value.words[1] == name && this.value.words[2] != 0);
  }
}
