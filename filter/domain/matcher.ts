import { lower, rangeIs } from "./ascii";
import { PathSegments } from "./path-segments";
import { FeaturePolicy, PathKind, RoutePolicy } from "./policy";
import { RequestView } from "./request-view";
import { hashNext, hashStart, NO_NODE, NO_RULE, RouteTrie } from "./route-trie";

const SLASH: u8 = 0x2f;
const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;

/** Host, methods and place of one route; `next` is the next rule at the same node. */
class Rule {
  next: i32 = NO_RULE;
  constructor(
    public feature: i32,
    public methods: string[],
  ) {}
}

/**
 * Finds the feature of a request: the first matching route in declared order. A walk through a trie of segments per host, so
 * that the cost follows the request's path and not the number of features.
 *
 * Paths are compared byte by byte as the client sent them, without query and fragment. `/items` and `/items/`, `//items`,
 * `/a/../items`, `%69tems` are all different paths: an upstream that takes them for the same needs Envoy's `normalize_path`,
 * `merge_slashes` and `path_with_escaped_slashes_action`, which run before filters. Whoever writes a path differently misses
 * the feature, and with it the protection of the breaker, nothing else: matching is no access control.
 */
export class Matcher {
  needsMethod: bool = false;
  needsHost: bool = false;

  private rules: Rule[] = [];
  private trie: RouteTrie = new RouteTrie(0, 0);
  private path: PathSegments = new PathSegments(0);
  /** Nodes still to visit with their depths. A step takes one off and puts two on, so one more than the depth is enough. */
  private waiting: StaticArray<i32> = []; // i32[longest rule + 2]
  private waitingDepth: StaticArray<i32> = []; // i32[longest rule + 2]

  constructor(features: FeaturePolicy[]) {
    const routes: RoutePolicy[] = [];
    let edges = 0;
    let letters = 0;
    for (let i = 0; i < features.length; i++) {
      for (let j = 0; j < features[i].routes.length; j++) {
        const route = features[i].routes[j];
        if (route.methods.length > 0) this.needsMethod = true;
        if (route.host.length > 0) this.needsHost = true;
        edges += mostEdges(route.path);
        letters += route.path.length + route.host.length;
        routes.push(route);
        this.rules.push(new Rule(i, route.methods));
      }
    }
    this.trie = new RouteTrie(edges, letters);
    // From the last to the first, each put before those at its node, so that chains end up in declared order.
    let longest = 0;
    for (let rule = routes.length - 1; rule >= 0; rule--) longest = max(longest, this.insert(routes[rule], rule));
    this.path = new PathSegments(longest);
    this.waiting = new StaticArray<i32>(longest + 2);
    this.waitingDepth = new StaticArray<i32>(longest + 2);
  }

  /** Index of the feature that the request belongs to, -1 for none. Allocates nothing. */
  match(view: RequestView): i32 {
    this.path.read(view);
    let best = this.search(NO_NODE, view, NO_RULE);
    if (this.needsHost) best = this.searchHosts(view, best);
    return best == NO_RULE ? -1 : this.rules[best].feature;
  }

  /** Puts a rule at its node; returns the number of its segments. */
  private insert(route: RoutePolicy, rule: i32): i32 {
    const trie = this.trie;
    const path = route.path;
    let end = path.length;
    // `/items/` is the same prefix as `/items`, and `/` the one that takes everything.
    if (route.kind == PathKind.Prefix && path.endsWith("/")) end--;
    let node = NO_NODE;
    if (route.host.length > 0) node = trie.hostRoot(route.host.startsWith("*") ? route.host.substring(1) : route.host);
    trie.lowest[node] = rule;
    let depth = 0;
    for (let start = 1; start <= end; depth++) {
      let stop = path.indexOf("/", start);
      if (stop < 0 || stop > end) stop = end;
      const segment = path.substring(start, stop);
      node = route.kind == PathKind.Template && isParameter(segment) ? trie.childForAny(node) : trie.child(node, segment);
      trie.lowest[node] = rule;
      start = stop + 1;
    }
    const chain = route.kind == PathKind.Prefix ? trie.below : trie.ending;
    this.rules[rule].next = chain[node];
    chain[node] = rule;
    return depth;
  }

  /** Searches the roots of the request's host: the one of its full name and those of its suffixes. */
  private searchHosts(view: RequestView, best: i32): i32 {
    const bytes = view.bytes;
    const start = view.hostStart;
    if (start < 0 || view.hostEnd > bytes.length) return best;
    let end = start;
    while (end < view.hostEnd && unchecked(bytes[end]) != COLON) end++;
    let hash = hashStart();
    for (let at = end - 1; at >= start; at--) {
      const byte = unchecked(bytes[at]);
      hash = hashNext(hash, lower(byte));
      // A suffix starts with a dot and needs something before it; a full name starts with none.
      if ((at == start) == (byte == DOT)) continue;
      const root = this.trie.findHost(hash, bytes, at, end);
      if (root != NO_NODE) best = this.search(root, view, best);
    }
    return best;
  }

  /**
   * Lowest rule below `root` that takes the request, if it is lower than `best`. `unchecked`: node numbers come from the
   * trie, depths are below the number of segments, and `waiting` has room for every step.
   */
  private search(root: i32, view: RequestView, best: i32): i32 {
    const trie = this.trie;
    const path = this.path;
    const bytes = view.bytes;
    const waiting = this.waiting;
    const waitingDepth = this.waitingDepth;
    let count = 1;
    unchecked((waiting[0] = root));
    unchecked((waitingDepth[0] = 0));
    while (count > 0) {
      const node = unchecked(waiting[--count]);
      const depth = unchecked(waitingDepth[count]);
      if (unchecked(trie.lowest[node]) >= best) continue;
      best = this.firstOf(unchecked(trie.below[node]), view, best);
      if (depth == path.count) {
        if (!path.hasMore) best = this.firstOf(unchecked(trie.ending[node]), view, best);
        continue;
      }
      const start = unchecked(path.starts[depth]);
      const end = unchecked(path.ends[depth]);
      const any = unchecked(trie.anySegment[node]);
      if (any != NO_NODE && end > start) {
        unchecked((waiting[count] = any));
        unchecked((waitingDepth[count++] = depth + 1));
      }
      const child = trie.findChild(node, unchecked(path.hashes[depth]), bytes, start, end);
      if (child != NO_NODE) {
        unchecked((waiting[count] = child));
        unchecked((waitingDepth[count++] = depth + 1));
      }
    }
    return best;
  }

  /** First rule of a chain that takes the request's method, if it is lower than `best`. */
  private firstOf(rule: i32, view: RequestView, best: i32): i32 {
    while (rule < best) {
      if (takesMethod(this.rules[rule].methods, view)) return rule;
      rule = this.rules[rule].next;
    }
    return best;
  }
}

function takesMethod(methods: string[], view: RequestView): bool {
  if (methods.length == 0) return true;
  for (let i = 0; i < methods.length; i++) {
    if (rangeIs(view.bytes, view.methodStart, view.methodEnd, methods[i])) return true;
  }
  return false;
}

/** No fewer edges than a route with this path has: one per segment and one for its host. */
function mostEdges(path: string): i32 {
  let edges = 2;
  for (let i = 0; i < path.length; i++) {
    if (path.charCodeAt(i) == SLASH) edges++;
  }
  return edges;
}

/** `{name}`; anything else with braces in it is literal. */
function isParameter(segment: string): bool {
  return segment.length >= 2 && segment.charCodeAt(0) == 0x7b && segment.charCodeAt(segment.length - 1) == 0x7d;
}
