import { random32, random64 } from "../abi/clock";
import { CheckedWords } from "./checked-words";
import { proxyKey } from "./keys";

const KIND: i64 = 3;

/** What all VMs of one Envoy process agree on: drawn once, by the first VM that ticks or has a copy to place. */
export class Identity {
  /** Names the process in reports. */
  instance: i64 = 0;
  startedAtMs: i64 = 0;
  /** Factor on staleAfter in permille, 1000 to 1300, so that a fleet does not lose its lease at one moment (R2). */
  leasePermille: i64 = 1000;
  /** Key of the hash that places cached entries: unknown to clients. */
  hashKey0: u64 = 0;
  hashKey1: u64 = 0;
  known: bool = false;

  private readonly value: CheckedWords = new CheckedWords(proxyKey(), KIND, 5);

  /** Reads the identity if a VM has drawn it. */
  load(): bool {
    if (this.known) return true;
    if (!this.value.read()) return false;
    const words = this.value.words;
    this.instance = words[1];
    this.startedAtMs = words[2];
    this.leasePermille = words[3];
    this.hashKey0 = <u64>words[4];
    this.hashKey1 = <u64>words[5];
    this.known = true;
    return true;
  }

  /** Reads the identity, drawing it first when nobody has. */
  settle(nowMs: i64): bool {
    if (this.load()) return true;
    const words = this.value.words;
    words[1] = <i64>random64();
    words[2] = nowMs;
    words[3] = 1000 + <i64>(random32() % 301);
    words[4] = <i64>random64();
    words[5] = <i64>random64();
    this.value.write();
    return this.load();
  }
}

/** The proxy that this VM belongs to. */
export const identity: Identity = new Identity();

let vm: i64 = 0;

/** Random id of this VM. */
export function vmId(): i64 {
  if (vm == 0) vm = <i64>(random64() | 1);
  return vm;
}
