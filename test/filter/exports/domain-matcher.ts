import { Matcher } from "../../../filter/domain/matcher";
import { FeaturePolicy, PathKind, RoutePolicy } from "../../../filter/domain/policy";
import { RequestView } from "../../../filter/domain/request-view";

let features: FeaturePolicy[] = [];
let matcher: Matcher = new Matcher(features);
const view = new RequestView();

export function reset(): void {
  features = [];
}

export function addFeature(): void {
  features.push(new FeaturePolicy());
}

/** Adds to the last feature. `methods`: separated by commas. */
export function addRoute(host: string, methods: string, kind: i32, path: string): void {
  const route = new RoutePolicy();
  route.host = host;
  if (methods.length > 0) route.methods = methods.split(",");
  route.kind = <PathKind>kind;
  route.path = path;
  features[features.length - 1].routes.push(route);
}

export function build(): void {
  matcher = new Matcher(features);
}

export function needsMethod(): bool {
  return matcher.needsMethod;
}

export function needsHost(): bool {
  return matcher.needsHost;
}

/** Sets the request that `match` and `matchTimes` look at. It lies in the middle of the buffer, as in the arena. */
export function request(method: string, host: string, path: string): void {
  const text = "//" + method + host + path + "/";
  const bytes = new StaticArray<u8>(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = <u8>text.charCodeAt(i);
  view.bytes = bytes;
  view.methodStart = 2;
  view.methodEnd = view.methodStart + method.length;
  view.hostStart = view.methodEnd;
  view.hostEnd = view.hostStart + host.length;
  view.pathStart = view.hostEnd;
  view.pathEnd = view.pathStart + path.length;
}

export function match(): i32 {
  return matcher.match(view);
}

export function matchTimes(times: i32): i32 {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += matcher.match(view);
  return sum;
}

/** Address of a new block: two marks lie apart by what was allocated between them, with the stub runtime. */
export function mark(): usize {
  return heap.alloc(1);
}
