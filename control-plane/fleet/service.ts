import { EvidenceBook } from '../domain/evidence.ts';
import type { LiveReasons, Reason, ServiceState, StepResult } from '../domain/model.ts';
import { type Fence, isTombstone, type Stored } from '../store/store.ts';
import { RenderedDirective } from './directive.ts';

/** The list of nodes alone is written at most this often. */
const NODES_EVERY_MS = 5000;

/** What this process holds of one service: the stored state as last written, and all that is not stored (R16). */
export class FleetService {
  readonly name: string;
  private held: Stored;
  private rendered: RenderedDirective;
  private evidence: EvidenceBook | null = null;
  /** Reasons with the figures of the last tick, by feature. */
  live: Readonly<Record<string, LiveReasons>> = {};
  /** Nodes that fail alone, by feature. */
  suspects: Readonly<Record<string, readonly string[]>> = {};
  /** Why the ticker does not act yet (R16); null: it acts. */
  holding: Reason | null = null;
  /** Last tick of the leader that this service went through, by this process's clock; null: none yet. */
  tickedAtMs: number | null = null;
  private nodesSinceMs = 0;
  /** The last entry of the audit that readers of events were told. */
  auditedThrough = 0;
  /** The leadership under which the cold start is over. */
  resumedUnder: Fence | null = null;

  constructor(lineage: string, stored: Stored) {
    this.name = stored.service;
    this.held = stored;
    this.rendered = new RenderedDirective(lineage, stored);
  }

  get stored(): Stored {
    return this.held;
  }

  get directive(): RenderedDirective {
    return this.rendered;
  }

  /** The state of a service that is not deleted, else null. */
  get state(): ServiceState | null {
    return isTombstone(this.held) ? null : this.held;
  }

  /** Takes what was written, under the lineage of its history, and says whether filters must see it. */
  install(stored: Stored, lineage: string, nowMs: number): boolean {
    const before = this.rendered.name;
    if (!isTombstone(stored) && stored.nodes !== this.state?.nodes) this.nodesSinceMs = nowMs;
    this.held = stored;
    this.rendered = new RenderedDirective(lineage, stored);
    if (isTombstone(stored)) this.forget();
    const after = this.rendered.name;
    return before.lineage !== after.lineage || before.revision !== after.revision || before.hash !== after.hash;
  }

  /**
   * Whether a change that only tells of other nodes can wait. A fleet whose proxies come and go would else be written with every tick;
   * the list matters to a cold start alone, and to proxies by its order of magnitude (R8, R16).
   */
  isTooSoonForNodes(next: ServiceState, nowMs: number): boolean {
    const { state } = this;
    if (!state || next === state || state.nodes.length === 0 || nowMs - this.nodesSinceMs >= NODES_EVERY_MS) return false;
    const { nodes: _, version: __, ...rest } = next;
    return Object.entries(rest).every(([member, value]) => value === state[member as keyof ServiceState]);
  }

  private forget(): void {
    this.evidence = null;
    this.live = {};
    this.suspects = {};
  }

  bookOf(state: ServiceState): EvidenceBook {
    this.evidence ??= new EvidenceBook(state.policy);
    return this.evidence;
  }

  keep({ live, suspects }: StepResult): void {
    if (live) this.live = live;
    if (suspects) this.suspects = suspects;
  }

  /** How long ago the leader's tick was last seen; null: never. */
  governorAgeMs(nowMs: number): number | null {
    return this.tickedAtMs === null ? null : Math.max(0, nowMs - this.tickedAtMs);
  }
}
