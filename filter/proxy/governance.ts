import { CheckedWords } from "./checked-words";
import { identity } from "./identity";
import { serviceKey } from "./keys";

const KIND: i64 = 4;
const TRIES = 8;

/** What the leader knows of the control plane, shared with all workers of the proxy. Times are monotonic ms. */
export class Governance {
  /** The fleet's recovery governs until then (R2). */
  governedUntilMs: i64 = 0;
  /** Last number given to a report. */
  sequence: i64 = 0;
  /** Last time that a watch confirmed the directive; 0: never. */
  confirmedAtMs: i64 = 0;
  /** Last time that a report was answered; 0: never. */
  reportedAtMs: i64 = 0;
  private readonly value: CheckedWords;

  constructor(service: string) {
    this.value = new CheckedWords(serviceKey(service, "governance"), KIND, 4);
  }

  load(): void {
    if (!this.value.read()) return;
    const words = this.value.words;
    this.governedUntilMs = words[1];
    this.sequence = words[2];
    this.confirmedAtMs = words[3];
    this.reportedAtMs = words[4];
  }

  governed(nowMs: i64): bool {
    return nowMs < this.governedUntilMs;
  }

  /** Number for the next report; grows whoever leads. */
  nextSequence(): i64 {
    for (let i = 0; i < TRIES; i++) {
      this.load();
      this.sequence++;
      if (this.save()) break;
    }
    return this.sequence;
  }

  /** A report was answered: the lease runs from when it was sent for staleAfter, times the drawn factor, less the governor's age (R2). */
  renew(sentAtMs: i64, nowMs: i64, staleAfterMs: i64, governorAgeMs: i64): void {
    const until = sentAtMs + (staleAfterMs * identity.leasePermille) / 1000 - governorAgeMs;
    for (let i = 0; i < TRIES; i++) {
      this.load();
      this.governedUntilMs = until;
      this.reportedAtMs = nowMs;
      if (this.save()) return;
    }
  }

  /** A watch was answered. Says nothing of governance. */
  confirm(nowMs: i64): void {
    for (let i = 0; i < TRIES; i++) {
      this.load();
      this.confirmedAtMs = nowMs;
      if (this.save()) return;
    }
  }

  private save(): bool {
    const words = this.value.words;
    words[1] = this.governedUntilMs;
    words[2] = this.sequence;
    words[3] = this.confirmedAtMs;
    words[4] = this.reportedAtMs;
    return this.value.write();
  }
}
