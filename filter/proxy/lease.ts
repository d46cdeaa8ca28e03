import { CheckedWords } from "./checked-words";
import { serviceKey } from "./keys";

/** A leader that stops renewing is replaced after this. */
export const LEASE_MS: i64 = 3000;
const RENEW_BELOW_MS: i64 = 2000;
const KIND: i64 = 2;

/** Which VM of the proxy speaks with the control plane for a service. Any VM may; nothing depends on the main thread's. */
export class Lease {
  private readonly value: CheckedWords;
  private expiresAtMs: i64 = 0;
  /** Whether another VM led before. */
  inherited: bool = false;

  constructor(
    service: string,
    private readonly owner: i64,
  ) {
    this.value = new CheckedWords(serviceKey(service, "lead"), KIND, 2);
  }

  /** Whether this VM leads now; takes or renews the lease as needed. */
  hold(nowMs: i64): bool {
    if (nowMs < this.expiresAtMs - RENEW_BELOW_MS) return true;
    const found = this.value.read();
    const words = this.value.words;
    // An end beyond any lease was not written by us. Twice the lease, since this VM's time of the tick may be the older one.
    if (found && words[1] != this.owner && nowMs < words[2] && words[2] <= nowMs + 2 * LEASE_MS) {
      this.expiresAtMs = 0;
      return false;
    }
    this.inherited = found && words[1] != this.owner;
    words[1] = this.owner;
    words[2] = nowMs + LEASE_MS;
    this.expiresAtMs = this.value.write() ? nowMs + LEASE_MS : 0;
    return this.expiresAtMs > 0;
  }

  /** Gives the lease up, so that another VM need not wait for its end. */
  release(nowMs: i64): void {
    if (nowMs >= this.expiresAtMs || !this.value.read() || this.value.words[1] != this.owner) return;
    this.value.words[2] = 0;
    this.value.write();
    this.expiresAtMs = 0;
  }
}
