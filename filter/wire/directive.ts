import { Policy } from "../domain/policy";
import { DIRECTIVE_SCHEMA, FEATURE_STATES, Key, Place, POLICY_SCHEMA, Reason } from "./contract.gen";
import { HashTable } from "./hash-table";
import { JsonWriter } from "./json-writer";
import { readMessage } from "./message";
import { say } from "./names";
import { readPolicy } from "./policy";
import { policyProblems } from "./policy-rules";
import { Problem, Problems } from "./problem";
import { Items, Reader } from "./reader";

/** What the fleet, or a person, says of one feature. */
export class FlagEntry {
  feature: string = "";
  /** Id of the last change to this flag (R1). */
  step: i64 = 0;
  /** Index into FEATURE_STATES, a `FeatureState` of contract.gen.ts. */
  state: i32 = 0;
  /** Basis points. */
  admit: i32 = 0;
  byPerson: bool = false;
  /** Of a person's flag; -1: never. */
  expiresInMs: i64 = -1;
}

/** The revisioned document of the control plane; named by (lineage, revision, hash) (R5). */
export class Directive {
  service: string = "";
  lineage: string = "";
  hash: string = "";
  revision: i64 = 0;
  policyRevision: i64 = 0;
  proxies: i32 = 0;
  flags: FlagEntry[] = [];
  /** Null: not sent, since the filter holds `policyRevision` already. */
  policy: Policy | null = null;
  /** The policy as it was sent, to be stored apart; `parsePolicy` reads it. */
  policyBytes: Uint8Array | null = null;
  /** Tombstone: a person deleted the policy. */
  deleted: bool = false;
}

/** Position of `person` among the authors of a flag. */
const BY_PERSON: i32 = 1;

export class DirectiveResult {
  constructor(
    public directive: Directive | null,
    public problems: Problem[],
  ) {}
}

export class PolicyResult {
  constructor(
    public policy: Policy | null,
    public problems: Problem[],
  ) {}
}

/** Reads a directive. Members that this filter does not know are passed over: the control plane may be newer. */
export function parseDirective(bytes: Uint8Array): DirectiveResult {
  const problems = new Problems();
  const reader = readMessage(bytes, DIRECTIVE_SCHEMA, false, problems);
  if (!reader) return new DirectiveResult(null, problems.list);
  const directive = new Directive();
  directive.service = reader.text(Key.Service);
  directive.lineage = reader.text(Key.Lineage);
  directive.hash = reader.text(Key.Hash);
  directive.revision = reader.integer(Key.Revision);
  directive.policyRevision = reader.integer(Key.PolicyRevision);
  directive.proxies = <i32>reader.integer(Key.Proxies);
  directive.deleted = reader.flag(Key.Deleted);
  directive.flags = readFlags(reader.list(Key.Flags), problems);
  if (reader.has(Key.Policy)) takePolicy(directive, reader.object(Key.Policy), problems);
  return new DirectiveResult(problems.list.length == 0 ? directive : null, problems.list);
}

/** Reads the policy of a directive that was stored apart. */
export function parsePolicy(bytes: Uint8Array): PolicyResult {
  const problems = new Problems();
  const reader = readMessage(bytes, POLICY_SCHEMA, false, problems);
  if (!reader) return new PolicyResult(null, problems.list);
  policyProblems(reader, "", false, problems);
  return new PolicyResult(problems.list.length == 0 ? readPolicy(reader) : null, problems.list);
}

/** The directive as JSON without its policy; `parseDirective` reads it. */
export function encodeFlags(directive: Directive): Uint8Array {
  const writer = new JsonWriter();
  writer.openObject();
  writer.textOf(Key.Service, directive.service);
  writer.textOf(Key.Lineage, directive.lineage);
  writer.textOf(Key.Hash, directive.hash);
  writer.integerOf(Key.Revision, directive.revision);
  writer.integerOf(Key.PolicyRevision, directive.policyRevision);
  writer.integerOf(Key.Proxies, directive.proxies);
  writer.name(Key.Flags);
  writer.openList();
  for (let i = 0; i < directive.flags.length; i++) writeFlag(writer, directive.flags[i]);
  writer.closeList();
  writer.name(Key.Deleted);
  writer.flag(directive.deleted);
  writer.closeObject();
  return writer.finish();
}

function readFlags(items: Items, problems: Problems): FlagEntry[] {
  const flags: FlagEntry[] = [];
  const seen = new HashTable(items.count);
  for (let item = items.first(); item >= 0; item = items.next(item)) {
    const reader = items.object(item);
    const flag = new FlagEntry();
    flag.feature = reader.text(Key.Feature);
    flag.step = reader.integer(Key.Step);
    flag.state = reader.choice(Key.State);
    flag.admit = <i32>reader.integer(Key.Admit);
    flag.byPerson = reader.choice(Key.By) == BY_PERSON;
    flag.expiresInMs = reader.integer(Key.ExpiresInMs, -1);
    if (seen.note(reader.hash(Key.Feature), 0) >= 0) {
      problems.add(say(Place.Flag, flags.length.toString(), "", ""), say(Reason.Twice, flag.feature, "", ""));
    }
    flags.push(flag);
  }
  return flags;
}

function takePolicy(directive: Directive, reader: Reader, problems: Problems): void {
  policyProblems(reader, "policy.", false, problems);
  const policy = readPolicy(reader);
  if (policy.service != directive.service) problems.add("policy.service", say(Reason.OtherService, directive.service, policy.service, ""));
  const document = reader.document;
  directive.policy = policy;
  directive.policyBytes = document.source.slice(document.start(reader.node), document.end(reader.node));
}

function writeFlag(writer: JsonWriter, flag: FlagEntry): void {
  writer.openObject();
  writer.textOf(Key.Feature, flag.feature);
  writer.integerOf(Key.Step, flag.step);
  writer.textOf(Key.State, FEATURE_STATES[flag.state]);
  writer.integerOf(Key.Admit, flag.admit);
  writer.textOf(Key.By, flag.byPerson ? "person" : "recovery");
  if (flag.expiresInMs >= 0) writer.integerOf(Key.ExpiresInMs, flag.expiresInMs);
  writer.closeObject();
}
