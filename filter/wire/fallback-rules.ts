import { Protocol } from "../domain/policy";
import { Key, Place, PROTOCOLS, Reason, RESERVED_HEADERS } from "./contract.gen";
import { nameText, say } from "./names";
import { Problems } from "./problem";
import { Reader } from "./reader";

/** What the schema cannot say of a fallback chain (control-plane/contract/fallback-rules.ts holds it to the same). */
export function chainProblems(feature: Reader, index: i32, prefix: string, problems: Problems): void {
  const protocol = feature.choice(Key.Protocol);
  const rungs = feature.list(Key.Fallback);
  let position = 0;
  for (let item = rungs.first(); item >= 0; item = rungs.next(item)) {
    const rung = rungs.object(item);
    const rules = new RungRules(prefix, index.toString(), (position++).toString(), problems);
    const kind = rung.has(Key.Stale) ? Key.Stale : rung.has(Key.Cluster) ? Key.Cluster : Key.Static;
    const isBody = protocol != Protocol.Http && kind != Key.Cluster && rung.has(kind);
    if (isBody) rules.add(Place.Rung, nameText(kind), say(Reason.BodyRung, PROTOCOLS[protocol], "", ""));
    rules.causes(rung.object(kind), nameText(kind));
    if (kind == Key.Static) rules.staticReply(rung.object(kind));
  }
}

/** Rules of one rung. */
class RungRules {
  constructor(
    private prefix: string,
    private index: string,
    private position: string,
    private problems: Problems,
  ) {}

  causes(rung: Reader, kind: string): void {
    const causes = rung.list(Key.Causes).texts();
    for (let i = 0; i < causes.length; i++) {
      if (causes.indexOf(causes[i]) < i) this.add(Place.Causes, kind, say(Reason.Twice, causes[i], "", ""));
    }
  }

  staticReply(reply: Reader): void {
    const headers = reply.object(Key.Headers);
    const document = headers.document;
    for (let key = document.first(headers.node); key >= 0; key = document.next(key)) {
      const name = document.string(key);
      if (RESERVED_HEADERS.includes(name)) this.add(Place.Header, name, nameText(Reason.ReservedHeader));
    }
    const status = reply.integer(Key.Status);
    const isBodyless = status == 204 || status == 205 || status == 304;
    const bodyless = say(Reason.Bodyless, status.toString(), "", "");
    const representations = reply.list(Key.Representations);
    const hasBody = reply.text(Key.Body).length > 0;
    if (hasBody && isBodyless) this.add(Place.Body, "", bodyless);
    else if (hasBody && representations.count > 0) this.add(Place.Body, "", nameText(Reason.BesideRepresentations));
    if (isBodyless && representations.count > 0) this.add(Place.Representations, "", bodyless);
    let place = 0;
    for (let item = representations.first(); item >= 0; item = representations.next(item)) {
      const type = representations.object(item).text(Key.ContentType);
      if (!isMediaType(type)) this.add(Place.MediaType, place.toString(), say(Reason.MediaType, type, "", ""));
      place++;
    }
  }

  add(place: Place, detail: string, reason: string): void {
    this.problems.add(this.prefix + say(place, this.index, this.position, detail), reason);
  }
}

/** Whether a slash stands between a type and the start of a subtype, before any parameter. */
function isMediaType(text: string): bool {
  const slash = text.indexOf("/");
  const parameters = text.indexOf(";");
  if (slash <= 0 || slash + 1 == text.length || (parameters >= 0 && parameters <= slash + 1)) return false;
  return text.charCodeAt(slash + 1) != 0x2f;
}
