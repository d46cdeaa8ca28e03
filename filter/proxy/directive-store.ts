import { readShared, writeShared } from "../abi/shared-data";
import { CheckedWords } from "./checked-words";
import { serviceKey } from "./keys";
import { PoisonMark } from "./poison-mark";

const KIND_META: i64 = 5;
const TRIES = 8;
/** Bytes of a stored document: the contract's bound on what comes over the wire. */
const MAX_BYTES: i32 = 1024 * 1024;
/** Where a directive's two documents lie; slots alternate, so that the last good pair survives a bad one. */
export class StoredDirective {
  /** Hash of (lineage, revision, hash); 0: none. */
  name: i64 = 0;
  policySlot: i32 = -1;
  flagsSlot: i32 = -1;
  receivedAtMs: i64 = 0;
}

/** The directive of one service in shared data: policy and flags apart, and the pair before. */
export class DirectiveStore {
  readonly current: StoredDirective = new StoredDirective();
  readonly previous: StoredDirective = new StoredDirective();
  private readonly meta: CheckedWords;
  /** Quarantine of documents, by their name. */
  readonly mark: PoisonMark;
  private readonly policyKeys: ArrayBuffer[];
  private readonly flagsKeys: ArrayBuffer[];

  constructor(service: string) {
    this.meta = new CheckedWords(serviceKey(service, "directive"), KIND_META, 8);
    this.mark = new PoisonMark(serviceKey(service, "trying"));
    this.policyKeys = [serviceKey(service, "policy:0"), serviceKey(service, "policy:1")];
    this.flagsKeys = [serviceKey(service, "flags:0"), serviceKey(service, "flags:1")];
  }

  /** Reads where the documents lie. False: there is no directive. */
  load(): bool {
    if (!this.meta.read()) return false;
    const words = this.meta.words;
    decode(this.current, words, 1);
    decode(this.previous, words, 5);
    return true;
  }

  policy(at: StoredDirective): Uint8Array | null {
    return at.policySlot < 0 ? null : readShared(this.policyKeys[at.policySlot], MAX_BYTES);
  }

  flags(at: StoredDirective): Uint8Array | null {
    return at.flagsSlot < 0 ? null : readShared(this.flagsKeys[at.flagsSlot], MAX_BYTES);
  }

  /** Stores a directive that this VM has applied. `policy` null: the stored one still holds; `keepsPolicy` false: none holds any more. */
  publish(name: i64, flags: Uint8Array, policy: Uint8Array | null, keepsPolicy: bool, nowMs: i64): bool {
    for (let i = 0; i < TRIES; i++) {
      const known = this.load();
      const words = this.meta.words;
      const flagsSlot = known && this.current.flagsSlot == 0 ? 1 : 0;
      let policySlot = known && keepsPolicy ? this.current.policySlot : -1;
      if (policy !== null) {
        policySlot = known && this.current.policySlot == 0 ? 1 : 0;
        if (!writeShared(this.policyKeys[policySlot], policy)) return false;
      }
      if (!writeShared(this.flagsKeys[flagsSlot], flags)) return false;
      encode(words, 5, known ? this.current : new StoredDirective());
      words[1] = name;
      words[2] = policySlot;
      words[3] = flagsSlot;
      words[4] = nowMs;
      if (this.meta.write()) {
        this.load();
        return true;
      }
    }
    return false;
  }
}

function slot(value: i64): i32 {
  return value == 0 || value == 1 ? <i32>value : -1;
}

function decode(into: StoredDirective, words: StaticArray<i64>, at: i32): void {
  into.name = words[at];
  into.policySlot = slot(words[at + 1]);
  into.flagsSlot = slot(words[at + 2]);
  into.receivedAtMs = words[at + 3];
}

function encode(words: StaticArray<i64>, at: i32, from: StoredDirective): void {
  words[at] = from.name;
  words[at + 1] = from.policySlot;
  words[at + 2] = from.flagsSlot;
  words[at + 3] = from.receivedAtMs;
}
