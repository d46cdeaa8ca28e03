import { log } from "../abi/calls";
import { LogLevel } from "../abi/enums";
import { MISSING, sharedVersion, writeShared } from "../abi/shared-data";
import { Flag, FlagState } from "../domain/admission";
import { ALL_BP } from "../domain/admit-share";
import { FleetShape } from "../domain/fleet-shape";
import { Matcher } from "../domain/matcher";
import { nameHash } from "../domain/name-hash";
import { Outcome } from "../domain/outcome";
import { FeaturePolicy, Policy } from "../domain/policy";
import { ServiceMetrics } from "../telemetry/service-metrics";
import { builtInPolicy } from "../wire/built-in-policy";
import { Directive, FlagEntry, parseDirective, parsePolicy } from "../wire/directive";
import { Problem, problemLine } from "../wire/problem";
import { DirectiveStore, StoredDirective } from "./directive-store";
import { Feature } from "./feature";
import { Pass } from "./feature-breaker";
import { Governance } from "./governance";
import { identity, vmId } from "./identity";
import { serviceKey } from "./keys";
import { Lease } from "./lease";
import { Begin } from "./poison-mark";
import { WorkerSlots } from "./worker-slots";

/** Every how many ticks the leader sums the proxy's windows. */
const SUM_EVERY: i32 = 4;
/** Why a quarantined directive is refused. */
export const POISON: string = "it trapped the VM that applied it";

/** The name (R5) under which a directive is known in shared data; never 0. */
export function directiveName(lineage: string, revision: i64, hash: string): i64 {
  const name = nameHash(lineage + "." + revision.toString() + "." + hash);
  return name == 0 ? 1 : name;
}

/** One service as this VM runs it. State belongs here, not to a root context: several of those may serve it, old and new. */
export class Service {
  features: Feature[] = [];
  matcher: Matcher;
  readonly fleet: FleetShape = new FleetShape();
  readonly governance: Governance;
  readonly lease: Lease;
  readonly slots: WorkerSlots;
  readonly directives: DirectiveStore;
  readonly metrics: ServiceMetrics;
  staleAfterMs: i64 = 0;
  reportMs: i64 = 0;
  quietReportMs: i64 = 0;

  /** The directive in force here; an empty lineage: none. */
  lineage: string = "";
  revision: i64 = 0;
  hash: string = "";
  /** Of the directive's policy; -1: the policy in force is inline or built in. */
  policyRevision: i64 = -1;
  private directiveInForce: i64 = 0;
  /** Others already follow a directive that this VM has not applied: it must not bring shared state back to an older step. */
  private behind: bool = false;

  rejectedCount: i64 = 0;
  rejectedRevision: i64 = 0;
  rejectedReason: string = "";
  private rejectedName: i64 = 0;

  nowMs: i64 = 0;
  /** The shared breakers changed since the leader's last report. */
  news: bool = false;
  /** Whether recovery flags of the fleet may govern here (recovery.scope). */
  private fleetScope: bool = true;
  private inline: Policy | null = null;
  private readonly versionKey: ArrayBuffer;
  private seenVersion: u32 = MISSING;
  private ticks: i32 = 0;

  constructor(readonly name: string) {
    this.versionKey = serviceKey(name, "version");
    this.governance = new Governance(name);
    this.lease = new Lease(name, vmId());
    this.slots = new WorkerSlots(name, vmId());
    this.directives = new DirectiveStore(name);
    this.metrics = new ServiceMetrics(name);
    this.matcher = new Matcher([]);
  }

  /** Takes the inline policy of a configuration, and what the proxy already knows. Reads shared data only: it also runs in a canary VM. */
  configure(inline: Policy | null, nowMs: i64): void {
    this.nowMs = nowMs;
    this.inline = inline;
    if (this.policyRevision < 0) this.usePolicy(this.ownPolicy());
    this.governance.load();
    if (this.directives.load()) {
      const current = this.directives.current;
      if (this.directives.mark.isTried(current.name)) this.use(this.directives.previous);
      else this.use(current);
    }
    const governed = this.fleetScope && this.governance.governed(nowMs);
    for (let i = 0; i < this.features.length; i++) this.features[i].view(nowMs, governed);
  }

  /** One tick of this VM. True when it leads the proxy for this service. */
  tick(nowMs: i64): bool {
    this.nowMs = nowMs;
    identity.settle(nowMs);
    const leads = this.lease.hold(nowMs);
    const version = sharedVersion(this.versionKey);
    if (version != this.seenVersion) {
      this.seenVersion = version;
      this.news = true;
      for (let i = 0; i < this.features.length; i++) this.features[i].breaker.load();
      this.governance.load();
    }
    this.followDirective();
    this.refresh(nowMs);
    this.slots.publish(this.features, nowMs);
    if (leads && ++this.ticks % SUM_EVERY == 0) this.judgeSums(nowMs);
    return leads;
  }

  private refresh(nowMs: i64): void {
    // Before a lapse is believed: another worker leads, and may have renewed the lease.
    if (!this.governance.governed(nowMs)) this.governance.load();
    const governed = this.fleetScope && this.governance.governed(nowMs);
    let changed = false;
    for (let i = 0; i < this.features.length; i++) {
      if (this.features[i].refresh(nowMs, governed, !this.behind)) changed = true;
    }
    if (changed) this.changed();
  }

  private judgeSums(nowMs: i64): void {
    this.slots.sum(this.features, nowMs);
    let changed = false;
    for (let i = 0; i < this.features.length; i++) {
      if (this.features[i].breaker.judgeSums(nowMs)) changed = true;
    }
    if (changed) this.changed();
  }

  /** Judges an outcome; a phase that changes by it is told to the other workers. */
  settle(feature: Feature, pass: Pass, epoch: i64, outcome: Outcome, slow: bool, nowMs: i64): void {
    if (feature.breaker.settle(pass, epoch, outcome, slow, nowMs)) this.changed();
  }

  /** Counts a request in flight as slow. */
  settleHanging(feature: Feature, epoch: i64, nowMs: i64): void {
    if (feature.breaker.settleHanging(epoch, nowMs)) this.changed();
  }

  /** Tells the other workers that shared state moved: they look on their next tick. */
  changed(): void {
    this.news = true;
    writeShared(this.versionKey, ONE_BYTE);
  }

  /** Whether this proxy holds a live lease of the fleet's recovery (R2). */
  governed(): bool {
    return this.governance.governed(this.nowMs);
  }

  /**
   * A directive fresh from the wire, already parsed and sound: stored for the other workers, then used here. False: it is not in force,
   * and what was before still is.
   */
  accept(directive: Directive, flags: Uint8Array, nowMs: i64): bool {
    const name = directiveName(directive.lineage, directive.revision, directive.hash);
    const mark = this.directives.mark;
    const begin = mark.begin(name);
    if (begin == Begin.Poison) this.reject(name, directive.revision, POISON);
    if (begin != Begin.Go) return false;
    const keepsPolicy = !directive.deleted && (directive.policy !== null || this.policyRevision >= 0);
    const stored = this.directives.publish(name, flags, directive.policyBytes, keepsPolicy, nowMs);
    // Only then: a leader that goes ahead of what is stored would be brought back by its own next tick.
    if (stored) this.useDirective(directive, directive.policy, name, nowMs);
    else this.reject(name, directive.revision, "it could not be stored for the other workers");
    mark.end(name);
    if (!stored) return false;
    this.refresh(nowMs);
    this.changed();
    return true;
  }

  /** Refuses a document; the last good one stays. */
  reject(name: i64, revision: i64, reason: string): void {
    if (name != 0 && name == this.rejectedName) return;
    this.rejectedName = name;
    this.rejectedCount++;
    this.rejectedRevision = revision;
    this.rejectedReason = reason;
    this.metrics.countRejected();
    log(LogLevel.Warn, this.name + ": directive refused, the last good one stays: " + reason);
  }

  /** Applies what another worker stored. */
  private followDirective(): void {
    this.behind = false;
    if (!this.directives.load()) return;
    const current = this.directives.current;
    if (current.name == this.directiveInForce) return;
    const begin = this.directives.mark.begin(current.name);
    if (begin == Begin.Go) {
      this.use(current);
      this.directives.mark.end(current.name);
    } else if (begin == Begin.Poison) {
      this.reject(current.name, 0, POISON);
      if (this.directiveInForce == 0) this.use(this.directives.previous);
    }
    this.behind = current.name != this.directiveInForce;
  }

  /** Reads and applies stored documents. They are parsed and checked anew: shared data can be written by a foreign hand. */
  private use(at: StoredDirective): bool {
    const flags = this.directives.flags(at);
    if (flags === null) return false;
    const result = parseDirective(flags);
    const directive = result.directive;
    if (directive === null) return this.refuseStored(at.name, result.problems);
    if (directiveName(directive.lineage, directive.revision, directive.hash) != at.name) return false;
    let policy: Policy | null = null;
    if (!directive.deleted && (directive.lineage != this.lineage || directive.policyRevision != this.policyRevision)) {
      const bytes = this.directives.policy(at);
      if (bytes !== null) {
        const parsed = parsePolicy(bytes);
        policy = parsed.policy;
        if (policy === null) return this.refuseStored(at.name, parsed.problems);
      }
    }
    this.useDirective(directive, policy, at.name, at.receivedAtMs);
    return true;
  }

  private refuseStored(name: i64, problems: Problem[]): bool {
    this.reject(name, 0, "stored copy: " + problemLine(problems));
    return false;
  }

  private useDirective(directive: Directive, policy: Policy | null, name: i64, receivedAtMs: i64): void {
    if (directive.deleted) {
      this.policyRevision = -1;
      this.usePolicy(this.ownPolicy());
    } else if (policy !== null) {
      this.policyRevision = directive.policyRevision;
      this.usePolicy(policy);
    }
    this.lineage = directive.lineage;
    this.revision = directive.revision;
    this.hash = directive.hash;
    this.directiveInForce = name;
    // Proxies with an upstream each do not share a budget.
    this.fleet.proxies = this.fleetScope ? directive.proxies : 0;
    for (let i = 0; i < this.features.length; i++) {
      const feature = this.features[i];
      setFlag(feature.breaker.flag, entryOf(directive.flags, feature.policy.name), receivedAtMs);
    }
  }

  private ownPolicy(): Policy {
    const inline = this.inline;
    return inline !== null ? inline : builtInPolicy(this.name);
  }

  private usePolicy(policy: Policy): void {
    this.staleAfterMs = policy.staleAfterMs;
    this.reportMs = policy.reportMs;
    this.quietReportMs = policy.quietReportMs;
    this.fleetScope = policy.fleetScope;
    this.fleet.budget = max(policy.probesInFlight, 1);
    const features: Feature[] = [];
    for (let i = 0; i < policy.features.length; i++) features.push(this.featureFor(policy.features[i]));
    for (let i = 0; i < this.features.length; i++) {
      if (!features.includes(this.features[i])) this.features[i].metrics.retire();
    }
    this.features = features;
    this.matcher = new Matcher(policy.features);
  }

  /** The same object for a feature of the same name, so that requests in flight settle where they began. */
  private featureFor(policy: FeaturePolicy): Feature {
    for (let i = 0; i < this.features.length; i++) {
      const feature = this.features[i];
      if (feature.policy.name != policy.name) continue;
      feature.adopt(policy);
      return feature;
    }
    return new Feature(this.name, policy, this.fleet);
  }
}

const ONE_BYTE = new Uint8Array(1);

function entryOf(flags: FlagEntry[], feature: string): FlagEntry | null {
  for (let i = 0; i < flags.length; i++) if (flags[i].feature == feature) return flags[i];
  return null;
}

/** A feature that the directive does not name is ENABLED. */
function setFlag(flag: Flag, entry: FlagEntry | null, receivedAtMs: i64): void {
  flag.step = entry === null ? 0 : entry.step;
  flag.state = entry === null ? FlagState.Enabled : <FlagState>min(max(entry.state, 0), 2);
  flag.admit = entry === null ? ALL_BP : min(max(entry.admit, 0), ALL_BP);
  flag.byPerson = entry !== null && entry.byPerson;
  flag.expiresAtMs = entry === null || entry.expiresInMs < 0 ? -1 : receivedAtMs + entry.expiresInMs;
}
