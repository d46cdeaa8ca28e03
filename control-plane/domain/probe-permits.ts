import type { Feature } from '../contract/policy.ts';
import type { FeatureReport, Permit, Report } from '../contract/report.ts';
import { livelyFeatures } from './at-rest.ts';
import { isNewer, type Numbered } from './evidence.ts';
import { isSteered } from './feature.ts';
import { isGoverning } from './flags.ts';
import type { FeatureRecord, ServiceState } from './model.ts';
import { PermitHolder } from './permit-holder.ts';
import { type Asking, type FeatureLedger, ttlMs, wanted } from './probe-share.ts';
import { probeTimeoutMs } from './recovery/trial.ts';

const RATE_WINDOW_MS = 1000;
/** After a start permits of the process before may still be out: every reply takes them back first. */
const SETTLE_MS = 5000;
const FORGET_AFTER_MS = 600_000;

/** Permits of a step that is over; they count until their time is. */
interface Tail {
  readonly group: string;
  readonly holder: PermitHolder;
}

interface Reply extends Numbered {
  readonly permits: Permit[];
  readonly atMs: number;
}

/** What a reply may bring: permits, or nothing, for a report that somebody else answers. */
type Purpose = 'grant' | 'note';

export type Suspects = Readonly<Record<string, readonly string[]>>;

/**
 * Hands out the right to probe, for all services of a fleet (R8). What is in flight in an upstream group never exceeds its budget, as
 * far as reports can tell: a permit counts from its grant until its outcome is reported or its time is over.
 */
export class ProbePermits {
  private readonly settledAtMs: number;
  /** By service and feature. */
  private readonly ledgers = new Map<string, Map<string, FeatureLedger>>();
  private readonly replies = new Map<string, Reply>();
  private readonly granted = new Map<string, { atMs: number; count: number }[]>();
  private tails: Tail[] = [];
  private latestMs = 0;

  /** `settledAtMs`: none are given before; by default until all proxies have been told to give back what a process before this one granted. */
  constructor(startedAtMs: number, settledAtMs = startedAtMs + SETTLE_MS) {
    this.settledAtMs = settledAtMs;
  }

  /** From this moment on nothing that was granted so far counts any more. */
  get untilMs(): number {
    return this.latestMs;
  }

  /** Permits for the reply to this report; a repeated report gets the same ones. `suspects`, by feature, get none (R10). */
  grant(state: ServiceState, report: Report, nowMs: number, suspects: Suspects = {}): Permit[] {
    return this.answered(state, report, nowMs, suspects, 'grant');
  }

  /** Takes what a report says that another process answers, without permits. */
  note(state: ServiceState, report: Report, nowMs: number): void {
    this.answered(state, report, nowMs, {}, 'note');
  }

  private answered(state: ServiceState, report: Report, nowMs: number, suspects: Suspects, purpose: Purpose): Permit[] {
    const key = `${state.service}/${report.node}/${report.instance}`;
    const last = this.replies.get(key);
    if (last && !isNewer(report, last)) return report.sequence === last.sequence ? last.permits : [];
    this.forget(nowMs);
    const permits = this.permitsFor(state, report, nowMs, suspects, purpose);
    const { sequence, uptimeMs } = report;
    this.replies.delete(key); // so that the map stays in the order of time
    this.replies.set(key, { sequence, uptimeMs, permits, atMs: nowMs });
    return permits;
  }

  /** Probes of a group that may be in flight or may still start. */
  outstanding(group: string, nowMs: number): number {
    let total = 0;
    for (const tail of this.tails) if (tail.group === group) total += tail.holder.outstanding(nowMs);
    for (const ledgers of this.ledgers.values()) {
      for (const ledger of ledgers.values()) {
        if (ledger.group !== group) continue;
        for (const holder of ledger.holders.values()) total += holder.outstanding(nowMs);
      }
    }
    return total;
  }

  private permitsFor(state: ServiceState, report: Report, nowMs: number, suspects: Suspects, purpose: Purpose): Permit[] {
    const concerned = this.concerned(state);
    if (concerned.length === 0) return [];
    const byName = new Map(report.features.map((each) => [each.feature, each]));
    const permits: Permit[] = [];
    for (const feature of concerned) {
      const record = state.features[feature.name];
      const asking = record && this.asking(state, feature, record, report, byName.get(feature.name) ?? null, nowMs);
      if (!asking || !report.governed || purpose === 'note') continue;
      const mayProbe = isProbing(state, record) && !suspects[feature.name]?.includes(report.node);
      const count = mayProbe ? this.offer(state, asking) : takenBack(asking);
      if (count !== null) permits.push({ feature: feature.name, step: record.step, count, ttlMs: ttlMs(report.intervalMs) });
    }
    return permits;
  }

  /** Features that are, or were until now, open to probes; the first priority first. */
  private concerned(state: ServiceState): Feature[] {
    const opened = [...livelyFeatures(state)].filter((name) => state.features[name]?.state === 'DISABLED');
    const names = new Set([...opened, ...(this.ledgers.get(state.service)?.keys() ?? [])]);
    if (names.size === 0) return [];
    return state.policy.features.filter(({ name }) => names.has(name)).sort((a, b) => a.priority - b.priority);
  }

  /** Brings the ledger up to date with what the report says of a feature; null: the proxy is not at its present step. */
  private asking(
    state: ServiceState,
    feature: Feature,
    record: FeatureRecord,
    report: Report,
    shown: FeatureReport | null,
    nowMs: number,
  ): Asking | null {
    const ledger = this.ledgerOf(state, record, nowMs);
    if (!ledger || (shown && shown.step !== ledger.step)) return null;
    const known = ledger.holders.get(report.instance);
    if (!known && !shown) return null;
    const holder = known ?? new PermitHolder(report.node);
    const { intervalMs } = report;
    if (known) known.absorb(shown, intervalMs, nowMs);
    else if (shown) holder.meet(shown, countsForMs(feature, intervalMs), nowMs);
    ledger.holders.set(report.instance, holder);
    return { feature, record, ledger, holder, intervalMs, nowMs };
  }

  /** The ledger of a DISABLED feature's present step; what was out at an earlier step counts on apart. */
  private ledgerOf(state: ServiceState, record: FeatureRecord, nowMs: number): FeatureLedger | null {
    const group = groupOf(state);
    const ledgers = this.ledgersOf(state.service);
    const known = ledgers.get(record.name);
    if (known && (known.step !== record.step || known.group !== group || record.state !== 'DISABLED')) {
      for (const holder of known.holders.values()) this.tails.push({ group: known.group, holder });
      ledgers.delete(record.name);
    }
    if (record.state !== 'DISABLED' || !record.recovery) return null;
    const attemptFromMs = record.recovery.sampleFromMs;
    let ledger = ledgers.get(record.name);
    if (!ledger) {
      ledger = { step: record.step, group, holders: new Map(), attemptFromMs };
      ledgers.set(record.name, ledger);
    }
    if (ledger.attemptFromMs !== attemptFromMs) beginAttempt(ledger, attemptFromMs, nowMs);
    return ledger;
  }

  private ledgersOf(service: string): Map<string, FeatureLedger> {
    let ledgers = this.ledgers.get(service);
    if (!ledgers) {
      ledgers = new Map();
      this.ledgers.set(service, ledgers);
    }
    return ledgers;
  }

  /** How many probes the proxy may start from now on; null: leave it what it has. */
  private offer(state: ServiceState, asking: Asking): number | null {
    const { feature, ledger, holder, intervalMs, nowMs } = asking;
    if (nowMs < this.settledAtMs) return 0;
    const unused = holder.unused();
    const room = state.policy.recovery.probesInFlight - this.outstanding(ledger.group, nowMs);
    const extra = Math.min(wanted(asking), room, this.rateLeft(state, nowMs));
    const runsOut = unused > 0 && holder.termLeftMs(nowMs) < 2 * intervalMs;
    // Until the proxy reports again, what it has left counts beside the new permit, for it may be used up meanwhile.
    const renewed = runsOut ? Math.min(unused, room) : 0; // some rather than none: a rare request must meet one
    const count = extra > 0 && unused === 0 ? extra : renewed;
    if (count <= 0) return null;
    if (unused === 0) this.countRate(ledger.group, count, nowMs);
    holder.grant(count, ttlMs(intervalMs), countsForMs(feature, intervalMs), nowMs);
    this.latestMs = Math.max(this.latestMs, nowMs + ttlMs(intervalMs) + countsForMs(feature, intervalMs));
    return count;
  }

  private rateLeft(state: ServiceState, nowMs: number): number {
    const recent = (this.granted.get(groupOf(state)) ?? []).filter((grant) => nowMs - grant.atMs < RATE_WINDOW_MS);
    return state.policy.recovery.probesPerSecond - recent.reduce((total, grant) => total + grant.count, 0);
  }

  private countRate(group: string, count: number, nowMs: number): void {
    const recent = (this.granted.get(group) ?? []).filter((grant) => nowMs - grant.atMs < RATE_WINDOW_MS);
    this.granted.set(group, [...recent, { atMs: nowMs, count }]);
  }

  private forget(nowMs: number): void {
    this.tails = this.tails.filter((tail) => tail.holder.outstanding(nowMs) > 0);
    for (const [key, reply] of this.replies) {
      if (nowMs - reply.atMs <= FORGET_AFTER_MS) break; // the oldest come first
      this.replies.delete(key);
    }
  }
}

export function groupOf(state: ServiceState): string {
  return state.policy.recovery.upstreamGroup ?? state.service;
}

function isProbing(state: ServiceState, record: FeatureRecord): boolean {
  return record.recovery?.phase === 'probing' && record.state === 'DISABLED' && isGoverning(state) && isSteered(state, record.name);
}

function beginAttempt(ledger: FeatureLedger, attemptFromMs: number, nowMs: number): void {
  ledger.attemptFromMs = attemptFromMs;
  for (const [instance, holder] of ledger.holders) {
    if (nowMs - holder.seenAtMs > FORGET_AFTER_MS) ledger.holders.delete(instance);
  }
  for (const holder of ledger.holders.values()) holder.beginAttempt();
}

/** An attempt that is over leaves no permits behind: the wait until the next one is a wait. */
function takenBack({ feature, holder, intervalMs, nowMs }: Asking): number | null {
  if (holder.unused() === 0) return null;
  holder.grant(0, ttlMs(intervalMs), countsForMs(feature, intervalMs), nowMs);
  return 0;
}

/** How long a probe counts after its permit's term, if no outcome is reported (R8). */
function countsForMs(feature: Feature, intervalMs: number): number {
  return probeTimeoutMs(feature) + 2 * intervalMs;
}
