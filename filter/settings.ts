import { Mode, Policy } from "./domain/policy";
import { Key, Place, PLUGIN_CONFIGURATION_SCHEMA, Reason } from "./wire/contract.gen";
import { readMessage } from "./wire/message";
import { say } from "./wire/names";
import { checkClusters, readPolicy } from "./wire/policy";
import { policyProblems } from "./wire/policy-rules";
import { Problem, Problems } from "./wire/problem";
import { Reader } from "./wire/reader";

export { problemLine } from "./wire/problem";

/** Requests of these hosts or clusters belong to this service; both empty: all requests. */
export class ServiceSettings {
  service: string = "";
  hosts: string[] = [];
  clusters: string[] = [];
  /** Inline policy. */
  policy: Policy | null = null;
}

export class ControlPlaneSettings {
  cluster: string = "";
  authority: string = "";
  /** Empty: none is sent. */
  token: string = "";
  /** Length of a long poll. */
  waitMs: i32 = 0;
}

/** The plugin configuration with all defaults filled in. */
export class Settings {
  mode: Mode = Mode.Enforce;
  services: ServiceSettings[] = [];
  controlPlane: ControlPlaneSettings | null = null;
  cacheEntries: i32 = 0;
  cacheMaxBodyBytes: i32 = 0;
  /** Copies are shared with the other proxies of a service through the control plane. */
  cacheShared: bool = false;
  /** The only clusters that `cluster` rungs may name. */
  fallbackClusters: string[] = [];
  /** The only clusters that `probe.request` may name. */
  probeClusters: string[] = [];
}

export class SettingsResult {
  constructor(
    public settings: Settings | null,
    public problems: Problem[],
  ) {}
}

/** Reads the plugin configuration; members that are not known are problems, since they are likely misspelt. */
export function parseSettings(bytes: Uint8Array): SettingsResult {
  const problems = new Problems();
  if (bytes.length == 0 || bytes[0] != 0x7b) {
    problems.add("", say(Reason.NotJson, bytes.length > 0 ? bytes[0].toString() : "none", "", ""));
    return new SettingsResult(null, problems.list);
  }
  const reader = readMessage(bytes, PLUGIN_CONFIGURATION_SCHEMA, true, problems);
  if (!reader) return new SettingsResult(null, problems.list);
  const settings = new Settings();
  const cache = reader.object(Key.Cache);
  settings.mode = <Mode>reader.choice(Key.Mode);
  settings.cacheEntries = <i32>cache.integer(Key.Entries);
  settings.cacheMaxBodyBytes = <i32>cache.integer(Key.MaxBodyBytes);
  settings.cacheShared = cache.flag(Key.Shared);
  settings.fallbackClusters = reader.list(Key.FallbackClusters).texts();
  settings.probeClusters = reader.list(Key.ProbeClusters).texts();
  if (reader.has(Key.ControlPlane)) settings.controlPlane = readControlPlane(reader.object(Key.ControlPlane));
  else if (settings.cacheShared) problems.add("cache.shared", say(Reason.Needs, "controlPlane", "", ""));
  const services = reader.list(Key.Services);
  for (let item = services.first(); item >= 0; item = services.next(item)) readService(services.object(item), settings, problems);
  return new SettingsResult(problems.list.length == 0 ? settings : null, problems.list);
}

function readControlPlane(reader: Reader): ControlPlaneSettings {
  const controlPlane = new ControlPlaneSettings();
  controlPlane.cluster = reader.text(Key.Cluster);
  controlPlane.authority = reader.text(Key.Authority);
  controlPlane.token = reader.text(Key.Token);
  controlPlane.waitMs = <i32>reader.integer(Key.WaitMs);
  return controlPlane;
}

function readService(reader: Reader, settings: Settings, problems: Problems): void {
  const entry = new ServiceSettings();
  const index = settings.services.length.toString();
  entry.service = reader.text(Key.Service);
  entry.hosts = reader.list(Key.Hosts).texts();
  entry.clusters = reader.list(Key.Clusters).texts();
  for (let i = 0; i < settings.services.length; i++) {
    if (settings.services[i].service != entry.service) continue;
    problems.add(say(Place.Service, index, "", ""), say(Reason.Twice, entry.service, "", ""));
  }
  const path = say(Place.Inline, index, "", "");
  if (reader.has(Key.Policy)) entry.policy = readInlinePolicy(reader.object(Key.Policy), entry, settings, path, problems);
  settings.services.push(entry);
}

function readInlinePolicy(reader: Reader, entry: ServiceSettings, settings: Settings, path: string, problems: Problems): Policy {
  policyProblems(reader, path, true, problems);
  const policy = readPolicy(reader);
  if (policy.service != entry.service) problems.add(path + "service", say(Reason.OtherService, entry.service, policy.service, ""));
  const refused = checkClusters(policy, settings.fallbackClusters, settings.probeClusters);
  for (let i = 0; i < refused.length; i++) problems.add(path + refused[i].path, refused[i].reason);
  return policy;
}
