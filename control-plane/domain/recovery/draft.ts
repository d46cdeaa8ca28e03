import { effectiveFlag } from '../flags.ts';
import type { FeatureRecord, FeatureRecovery, LiveReasons, Reason, ServiceState, StepResult, TimelineEntry, Transition } from '../model.ts';
import { type Cause, isLegal } from './transitions.ts';

/** Entries that a recovery's timeline keeps; the audit has all flag changes, this is what a person reads. */
const TIMELINE_ENTRIES = 500;

type Changes<T> = { readonly [K in keyof T]?: T[K] };

/**
 * One change of a service's state in the making: reads see what was written before, `finish` gives the result with at most one new
 * revision. The state that it began from is never touched.
 */
export class Draft {
  readonly nowMs: number;
  private readonly before: ServiceState;
  /** The features as they were until one changes, then a copy. */
  private features: Readonly<Record<string, FeatureRecord>>;
  private after: ServiceState;
  private hasChanged = false;
  private hasNewRevision = false;
  private readonly transitions: Transition[] = [];
  private readonly events: TimelineEntry[] = [];
  private readonly live: Record<string, LiveReasons> = {};
  private suspects: Readonly<Record<string, readonly string[]>> = {};

  constructor(state: ServiceState, nowMs: number) {
    this.before = state;
    this.nowMs = nowMs;
    this.features = state.features;
    this.after = state;
  }

  /** The state as it would be now; its features change as the draft goes on. */
  get state(): ServiceState {
    return this.after;
  }

  record(name: string): FeatureRecord {
    const record = this.features[name];
    if (!record) throw new Error(`no feature ${name} in the state of ${this.before.service}`);
    return record;
  }

  names(): string[] {
    return Object.keys(this.features);
  }

  /** Changes what filters see: the flag gets a new step id (R1). `changes` may hold more of the record. */
  flag(name: string, cause: Cause, changes: Changes<FeatureRecord>, reason: Reason): void {
    const record = this.record(name);
    const next = { ...record, ...changes, step: this.before.revision + 1, sinceMs: this.nowMs, reason };
    const from = effectiveFlag(record);
    const to = effectiveFlag(next);
    if (!isLegal(cause, from, to)) {
      throw new Error(`illegal transition of ${name}: ${cause} from ${from.state} ${from.admit} to ${to.state} ${to.admit}`);
    }
    this.own()[name] = next;
    this.raiseRevision();
    this.transitions.push({ feature: name, from, to, reason });
  }

  /** Changes what filters do not see. Nothing happens when all of it is as it was. */
  patch(name: string, changes: Changes<FeatureRecord>): void {
    const record = this.record(name);
    if (isSame(record, changes)) return;
    this.own()[name] = { ...record, ...changes };
    this.hasChanged = true;
  }

  patchRecovery(name: string, changes: Changes<FeatureRecovery>): void {
    const { recovery } = this.record(name);
    if (!recovery || isSame(recovery, changes)) return;
    this.patch(name, { recovery: { ...recovery, ...changes } });
  }

  patchService(changes: Changes<Pick<ServiceState, 'policy' | 'policyRevision' | 'nodes' | 'released' | 'recovery'>>): void {
    if (isSame(this.after, changes)) return;
    this.after = { ...this.after, ...changes };
    this.hasChanged = true;
  }

  /** Filters must see this change; however many there are, they are one revision. */
  raiseRevision(): void {
    this.hasChanged = true;
    this.hasNewRevision = true;
  }

  /** Takes a feature in, or out (null). */
  replaceFeature(name: string, record: FeatureRecord | null): void {
    if (record) this.own()[name] = record;
    else delete this.own()[name];
    this.hasChanged = true;
  }

  /** A feature goes on under another name, with all that is known of it. */
  renameFeature(from: string, to: string): void {
    this.replaceFeature(to, { ...this.record(from), name: to });
    this.replaceFeature(from, null);
  }

  /** Something a person should read; part of the timeline while a recovery runs. */
  event(event: string, reason: Reason, feature?: string): void {
    this.events.push({ atMs: this.nowMs, ...(feature === undefined ? {} : { feature }), event, reason });
  }

  /** Why a feature's recovery does not move. The figures are fresh each time; it is stored and told only when its code changes (R17). */
  hold(name: string, reason: Reason): void {
    this.explain(name, { recovery: reason });
    const { recovery } = this.record(name);
    if (!recovery || recovery.reason.because === reason.because) return;
    this.patchRecovery(name, { reason });
    this.event('holds', reason, name);
  }

  explain(name: string, reasons: Partial<LiveReasons>): void {
    const { health, recovery } = this.live[name] ?? { health: this.record(name).healthReason, recovery: null };
    this.live[name] = { health, recovery, ...reasons };
  }

  suspect(suspects: Readonly<Record<string, readonly string[]>>): void {
    this.suspects = suspects;
  }

  finish(): StepResult {
    this.writeTimeline();
    const revision = this.before.revision + (this.hasNewRevision ? 1 : 0);
    const state = this.hasChanged ? { ...this.after, revision, version: this.before.version + 1 } : this.before;
    return { state, transitions: this.transitions, events: this.events, live: this.live, suspects: this.suspects };
  }

  /** Most ticks change nothing, and a service may have hundreds of features: they are copied with the first change. */
  private own(): Record<string, FeatureRecord> {
    if (this.features === this.before.features) {
      this.features = { ...this.before.features };
      this.after = { ...this.after, features: this.features };
    }
    return this.features as Record<string, FeatureRecord>;
  }

  private writeTimeline(): void {
    const { recovery } = this.after;
    if (!recovery || this.events.length === 0 || (recovery.endedAtMs !== null && recovery.endedAtMs !== this.nowMs)) return;
    this.patchService({ recovery: { ...recovery, timeline: [...recovery.timeline, ...this.events].slice(-TIMELINE_ENTRIES) } });
  }
}

function isSame<T extends object>(record: T, changes: Changes<T>): boolean {
  return Object.entries(changes).every(([key, value]) => (record as Record<string, unknown>)[key] === value);
}
