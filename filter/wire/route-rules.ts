import { Key, Place, Reason } from "./contract.gen";
import { HashTable, hashOn } from "./hash-table";
import { nameText, say } from "./names";
import { Problems } from "./problem";
import { Items, Reader } from "./reader";
import { isTemplate, templateHash } from "./template-rules";

/** No byte of a text. */
const SEPARATOR: u64 = 0x100;

/**
 * Templates are well-formed, and no route is declared of which identical ones before take every request: the first match wins.
 */
export function routeProblems(features: Items, prefix: string, isStrict: bool, problems: Problems): void {
  const takers = new HashTable(requestsOf(features));
  let index = 0;
  for (let item = features.first(); item >= 0; item = features.next(item)) {
    const routes = features.object(item).list(Key.Routes);
    let position = 0;
    for (let node = routes.first(); node >= 0; node = routes.next(node)) {
      const route = routes.object(node);
      if (isSound(route.object(Key.Path))) {
        const taker = isStrict ? takerOf(route, (index << 8) | position, takers) : -1;
        if (taker >= 0) {
          const reason = say(Reason.Unreachable, placeOf(Place.Route, taker >> 8, taker & 255), "", "");
          problems.add(prefix + placeOf(Place.Route, index, position), reason);
        }
      } else {
        problems.add(prefix + placeOf(Place.Template, index, position), nameText(Reason.Template));
      }
      position++;
    }
    index++;
  }
}

function placeOf(place: Place, feature: i32, route: i32): string {
  return say(place, feature.toString(), route.toString(), "");
}

/** At most so many kinds of requests do the routes name. */
function requestsOf(features: Items): i32 {
  let count = 0;
  for (let item = features.first(); item >= 0; item = features.next(item)) {
    const routes = features.object(item).list(Key.Routes);
    for (let route = routes.first(); route >= 0; route = routes.next(route)) count += 1 + routes.object(route).list(Key.Methods).count;
  }
  return count;
}

function isSound(path: Reader): bool {
  const template = path.at(Key.Template);
  return template < 0 || isTemplate(path.document.text, path.document.start(template), path.document.end(template));
}

/** The first of the routes that together take every request of this one, or -1; notes what this one takes as number `place`. */
function takerOf(route: Reader, place: i32, takers: HashTable): i32 {
  const match = matchOf(route);
  const all = takers.find(match);
  const methods = route.list(Key.Methods);
  if (methods.count == 0) return takers.note(match, place);
  let taker = all;
  let isReached = false;
  for (let item = methods.first(); item >= 0; item = methods.next(item)) {
    const earlier = takers.note(route.document.hash(item, match), place);
    if (earlier == place) continue; // a method named twice
    if (earlier < 0) isReached = true;
    else if (taker < 0) taker = earlier;
  }
  return all >= 0 || !isReached ? taker : -1;
}

/** Hash of the host and path that a route asks for. */
function matchOf(route: Reader): u64 {
  const path = route.object(Key.Path);
  let hash = hashOn(route.hash(Key.Host), SEPARATOR);
  hash = hashOn(path.hash(Key.Exact, hash), SEPARATOR);
  hash = hashOn(path.hash(Key.Prefix, hash), SEPARATOR);
  const template = path.at(Key.Template);
  if (template >= 0) hash = templateHash(path.document.text, path.document.start(template), path.document.end(template), hash);
  return hashOn(hash, SEPARATOR);
}
