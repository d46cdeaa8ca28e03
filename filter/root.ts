import { log, setTickPeriod } from "./abi/calls";
import { LogLevel } from "./abi/enums";
import { Mode } from "./domain/policy";
import { identity } from "./proxy/identity";
import { Service } from "./proxy/service";
import { staleCache } from "./proxy/stale-cache";
import { parseSettings, problemLine, Settings } from "./settings";
import { forgetMissingRoutes } from "./stream/cluster-rung";
import { endOverdueCalls, onCallAnswered } from "./stream/fallback";
import { streams } from "./stream/pool";
import { CopySender } from "./sync/copy-sender";
import { ProbeSender } from "./sync/probe";
import { ReportSender } from "./sync/report";
import { Watch } from "./sync/watch";
import { flushUnmatched, retireVersion, tellVersion } from "./telemetry/service-metrics";
import { flushUpstreamTimes } from "./telemetry/upstream-times";
import { VERSION } from "./wire/contract.gen";

const TICK_MS: u32 = 50;
/** Gauges are written by the leader at least this often, so that a value which another VM wrote last does not stay. */
const GAUGES_EVERY_MS: i64 = 5000;

/** A service with what keeps it in touch with the control plane. One per VM and service, whatever root contexts there are. */
class Agent {
  readonly service: Service;
  readonly watch: Watch;
  readonly report: ReportSender;
  readonly copies: CopySender;
  readonly probes: ProbeSender;
  /** The root context that acts for the service in this VM: the newest; its calls carry the answers. */
  actor: u32 = 0;
  private led: bool = false;
  private gaugesAtMs: i64 = 0;

  constructor(name: string) {
    const service = new Service(name);
    const watch = new Watch(service);
    this.service = service;
    this.watch = watch;
    this.report = new ReportSender(service, watch);
    this.copies = new CopySender(name);
    this.probes = new ProbeSender(service);
  }

  act(root: u32, nowMs: i64): void {
    if (this.actor == root) return;
    this.actor = root;
    this.watch.restart(nowMs);
    this.report.restart(nowMs);
    this.copies.restart();
  }

  tick(settings: Settings, nowMs: i64): void {
    const service = this.service;
    const leads = service.tick(nowMs);
    const to = settings.controlPlane;
    if (leads && to !== null && settings.mode != Mode.Off) {
      this.watch.tick(to, nowMs);
      this.report.tick(to, nowMs);
    }
    this.probes.tick(settings, leads, nowMs);
    if (to !== null && settings.cacheShared && settings.mode != Mode.Off) this.copies.tick(to, nowMs);
    if (leads) this.writeGauges(to !== null, nowMs);
    this.led = leads;
    for (let i = 0; i < service.features.length; i++) service.features[i].metrics.flush();
    service.metrics.flush();
  }

  /** What concerns the control plane is told only where there is one: nobody shall be alarmed that none answers. */
  private writeGauges(isConnectable: bool, nowMs: i64): void {
    const service = this.service;
    const all = !this.led || nowMs - this.gaugesAtMs >= GAUGES_EVERY_MS;
    if (all) {
      this.gaugesAtMs = nowMs;
      service.metrics.forgetGauges();
    }
    tellVersion(all);
    for (let i = 0; i < service.features.length; i++) {
      const feature = service.features[i];
      if (all) feature.metrics.forgetGauges(!this.led && service.lease.inherited);
      feature.metrics.gauges(feature.breaker.toldPhase(), feature.breaker.flag.state, feature.health, feature.breaker.admitNow(nowMs));
    }
    if (!isConnectable) return;
    const confirmed = service.governance.confirmedAtMs;
    const connected = confirmed > 0 && service.governance.reportedAtMs > 0 && this.watch.answered() && this.report.answered();
    service.metrics.gauges(service.revision, confirmed == 0 ? 0 : (nowMs - confirmed) / 1000, connected, service.governed());
  }
}

const agents: Agent[] = [];

function agentOf(service: string): Agent {
  for (let i = 0; i < agents.length; i++) if (agents[i].service.name == service) return agents[i];
  const agent = new Agent(service);
  agents.push(agent);
  return agent;
}

/** One configuration of the filter in this VM. */
export class Root {
  settings: Settings = new Settings();
  services: Service[] = [];
  private agents: Agent[] = [];

  constructor(readonly id: u32) {}

  /** False refuses the configuration; the log then says where it is wrong. Reads shared data only: it also runs in a canary VM. */
  configure(bytes: Uint8Array, nowMs: i64): bool {
    const result = parseSettings(bytes);
    const settings = result.settings;
    if (settings === null) {
      log(LogLevel.Error, "configuration refused: " + problemLine(result.problems));
      return false;
    }
    identity.load();
    staleCache.configure(settings.cacheEntries, settings.cacheMaxBodyBytes);
    forgetMissingRoutes();
    this.settings = settings;
    this.agents = [];
    this.services = [];
    for (let i = 0; i < settings.services.length; i++) {
      const entry = settings.services[i];
      const agent = agentOf(entry.service);
      agent.service.configure(entry.policy, nowMs);
      agent.act(this.id, nowMs);
      this.agents.push(agent);
      this.services.push(agent.service);
    }
    setTickPeriod(TICK_MS);
    log(LogLevel.Info, "version " + VERSION + ", " + settings.services.length.toString() + " services");
    return true;
  }

  tick(nowMs: i64): void {
    for (let i = 0; i < this.agents.length; i++) {
      if (this.agents[i].actor == this.id) this.agents[i].tick(this.settings, nowMs);
    }
    streams.judgeInFlight(nowMs);
    flushUnmatched();
    flushUpstreamTimes();
    endOverdueCalls(nowMs);
  }

  serves(agent: Agent): bool {
    return this.agents.includes(agent);
  }
}

let roots: Root[] = [];

export function rootOf(id: u32): Root | null {
  for (let i = 0; i < roots.length; i++) if (roots[i].id == id) return roots[i];
  return null;
}

export function openRoot(id: u32): void {
  if (rootOf(id) === null) roots.push(new Root(id));
}

/** A configuration goes. What it did for services, another root that knows them does from now on; its calls never come back. */
export function closeRoot(id: u32, nowMs: i64): void {
  const left: Root[] = [];
  for (let i = 0; i < roots.length; i++) if (roots[i].id != id) left.push(roots[i]);
  roots = left;
  for (let i = 0; i < agents.length; i++) {
    const agent = agents[i];
    if (agent.actor != id) continue;
    agent.actor = 0;
    for (let r = roots.length - 1; r >= 0 && agent.actor == 0; r--) {
      if (roots[r].serves(agent)) agent.act(roots[r].id, nowMs);
    }
    if (agent.actor == 0) agent.service.lease.release(nowMs);
  }
  if (roots.length == 0) retireVersion();
}

/** A call-out came back: a watch's, a report's, a probe's, or a rung's. */
export function onCallOut(token: i64, headerCount: i32, bodySize: i32, nowMs: i64): void {
  for (let i = 0; i < agents.length; i++) {
    if (agents[i].watch.onAnswer(token, headerCount, bodySize, nowMs)) return;
    if (agents[i].report.onAnswer(token, headerCount, nowMs)) return;
    if (agents[i].probes.onAnswer(token, headerCount, nowMs)) return;
    if (agents[i].copies.onAnswer(token, headerCount, nowMs)) return;
  }
  onCallAnswered(token, headerCount, bodySize, nowMs);
}
