import { CacheDirectives, deltaSeconds, MAX_SECONDS, NOT_GIVEN } from "./cache-directives";
import { initialAgeMs } from "./freshness";
import { hasToken, isFieldName, isFieldValue, isText, memberEnd } from "./header-list";
import { httpDateMs, NO_DATE } from "./http-date";

/**
 * A complete answer to a request, as far as it decides whether a copy may be kept. Header names in lower case; repeated
 * headers appear several times.
 */
export class StoreCandidate {
  method: string = "";
  status: i32 = 0;
  names: string[] = [];
  values: string[] = [];
  /** Of the request: has `authorization`; has `cookie`; has `range`; value of `cache-control`, empty without one. */
  authorized: bool = false;
  cookied: bool = false;
  ranged: bool = false;
  requestCacheControl: string = "";
  /** Headers that the cache key holds, lower case. */
  varyHeaders: string[] = [];
  /** Wall clock at the response headers, ms since 1970; 0: not known. */
  receivedMs: i64 = 0;
  /** From the request to the response headers. */
  delayMs: i64 = 0;
}

/** Whether a copy may be kept, why, and for how long it serves (see `servable`). */
export class Storability {
  /** Age on arrival. */
  ageMs: i64 = 0;
  freshForMs: i64 = 0;
  /** What the response allows beyond; -1: it does not say. */
  staleIfErrorMs: i64 = -1;
  mayServeStale: bool = true;

  constructor(
    public storable: bool,
    /** Kebab-case code, a literal. */
    public because: string,
  ) {}
}

/**
 * Whether a shared cache may keep this response: RFC 9111 section 3, and stricter where a degraded answer for everybody
 * could do harm.
 * - Only 200, 203, 204, 301 and 308 to GET. Errors, 404 and 410 among them, are cacheable by the RFC, but an upstream that
 *   is half broken gives them too, and one of them would take the place of the good copy for the whole outage. The answer to
 *   HEAD has no body to serve to a GET.
 * - Not `no-cache`: nothing here revalidates. Not `set-cookie`, although the RFC would allow it (section 7.3).
 * - Not for a request with `cookie` when the response says nothing about caching: it may be somebody's own page, which its
 *   author forgot to mark. `public`, a lifetime, or `cookie` among the vary headers lift this.
 * - A degraded answer of another Rekindle is never kept. A response that says nothing about freshness is kept all the same
 *   and is stale from the start: it serves only while the upstream fails, as the policy asks with its `stale` rung, for at
 *   most `maxStaleMs`. No freshness is guessed from `last-modified`.
 */
export function judgeStorability(candidate: StoreCandidate): Storability {
  const directives = new CacheDirectives();
  const refusal = refusalOf(candidate, directives);
  if (refusal.length > 0) return new Storability(false, refusal);
  const dateMs = earliestDate(candidate, "date");
  const result = new Storability(true, "fresh");
  result.ageMs = initialAgeMs(largestAgeMs(candidate), dateMs, candidate.receivedMs, candidate.delayMs);
  result.freshForMs = freshnessMs(candidate, directives, dateMs);
  if (directives.staleIfError != NOT_GIVEN) result.staleIfErrorMs = directives.staleIfError * 1000;
  // s-maxage forbids stale answers as proxy-revalidate does (RFC 9111 sections 5.2.2.10 and 4.2.4), whatever stale-if-error says.
  result.mayServeStale = !directives.revalidate && directives.sharedMaxAge == NOT_GIVEN;
  if (result.ageMs >= result.freshForMs) {
    if (!result.mayServeStale) return new Storability(false, "never-servable");
    result.because = "stale-only";
  }
  return result;
}

/** Why it may not be kept, empty when it may. Fills `directives`. */
function refusalOf(candidate: StoreCandidate, directives: CacheDirectives): string {
  if (candidate.method != "GET") return "method";
  if (!isKept(candidate.status)) return "status";
  if (candidate.ranged) return "range";
  if (hasToken(candidate.requestCacheControl, "no-store")) return "request-no-store";
  let pragma = false;
  let controlled = false;
  let expiring = false;
  for (let i = 0; i < min(candidate.names.length, candidate.values.length); i++) {
    const name = candidate.names[i];
    const value = candidate.values[i];
    if (name == "cache-control") {
      directives.read(value);
      controlled = true;
    } else if (name == "pragma") {
      if (hasToken(value, "no-cache")) pragma = true;
    } else if (name == "vary") {
      const refusal = varyRefusal(value, candidate.varyHeaders);
      if (refusal.length > 0) return refusal;
    } else if (name == "expires") expiring = true;
    else if (name == "set-cookie") return "set-cookie";
    else if (name == "content-range") return "range";
    else if (name == "rekindle") return "degraded-upstream";
  }
  if (directives.noStore) return "no-store";
  if (directives.isPrivate) return "private";
  // Without cache-control, old servers say it so (RFC 9111 section 5.4).
  if (directives.noCache || (pragma && !controlled)) return "no-cache";
  // RFC 9111 section 3.5.
  const open = directives.isPublic || directives.mustRevalidate || directives.sharedMaxAge != NOT_GIVEN;
  if (candidate.authorized && !open) return "authorization";
  const meant = open || expiring || directives.maxAge != NOT_GIVEN || candidate.varyHeaders.includes("cookie");
  return candidate.cookied && !meant ? "cookie" : "";
}

/** Whether answers of this status are kept. */
export function isKept(status: i32): bool {
  return status == 200 || status == 203 || status == 204 || status == 301 || status == 308;
}

function varyRefusal(value: string, known: string[]): string {
  for (let from = 0; from < value.length; ) {
    const end = memberEnd(value, from);
    if (isText(value, from, end, "*")) return "vary-all";
    if (!isText(value, from, end, "") && !isOneOf(value, from, end, known)) return "vary-header";
    from = end + 1;
  }
  return "";
}

function isOneOf(value: string, from: i32, to: i32, known: string[]): bool {
  for (let i = 0; i < known.length; i++) {
    if (isText(value, from, to, known[i])) return true;
  }
  return false;
}

/** RFC 9111 section 4.2.1 for a shared cache; 0 when nothing is said. */
function freshnessMs(candidate: StoreCandidate, directives: CacheDirectives, dateMs: i64): i64 {
  if (directives.sharedMaxAge != NOT_GIVEN) return directives.sharedMaxAge * 1000;
  if (directives.maxAge != NOT_GIVEN) return directives.maxAge * 1000;
  const expiresMs = earliestDate(candidate, "expires");
  const fromMs = dateMs != NO_DATE ? dateMs : candidate.receivedMs;
  if (expiresMs == NO_DATE || fromMs <= 0) return 0;
  return max<i64>(0, min(expiresMs - fromMs, MAX_SECONDS * 1000));
}

/** The earliest of the header's values; NO_DATE when there is none, or one of them is no date. */
function earliestDate(candidate: StoreCandidate, name: string): i64 {
  let earliest = i64.MAX_VALUE;
  for (let i = 0; i < min(candidate.names.length, candidate.values.length); i++) {
    if (candidate.names[i] == name) earliest = min(earliest, httpDateMs(candidate.values[i], candidate.receivedMs));
  }
  return earliest == i64.MAX_VALUE ? NO_DATE : earliest;
}

/** 0 without an `age` that is a number. Of a list its first member counts (RFC 9111 section 5.1), of several lines the oldest. */
function largestAgeMs(candidate: StoreCandidate): i64 {
  let largest: i64 = 0;
  for (let i = 0; i < min(candidate.names.length, candidate.values.length); i++) {
    const value = candidate.values[i];
    if (candidate.names[i] == "age") largest = max(largest, deltaSeconds(value, 0, memberEnd(value, 0)));
  }
  return largest * 1000;
}

/**
 * Whether a header belongs to one connection and not to a stored copy (RFC 9110 section 7.6.1, RFC 9111 section 3.1).
 * `connection`: value of the response's `connection` header, whose members count too. `content-length` is not among them:
 * whoever serves a copy sets it anew.
 */
export function isHopByHop(name: string, connection: string): bool {
  return (
    name == "connection" ||
    name == "keep-alive" ||
    name == "proxy-connection" ||
    name == "te" ||
    name == "trailer" ||
    name == "transfer-encoding" ||
    name == "upgrade" ||
    name == "proxy-authenticate" ||
    name == "proxy-authentication-info" ||
    hasToken(connection, name)
  );
}

/**
 * Whether a header of an answer may be kept and told to clients: not one of the connection, nor what Envoy and this filter set anew, nor
 * cookies (nobody's own were sent for it, and many may get it), nor one whose name or value could end a header and begin another (RFC 9110 section 5.5). `connection` as for `isHopByHop`.
 */
export function isPassedOn(name: string, value: string, connection: string): bool {
  if (!isFieldName(name) || !isFieldValue(value) || name.startsWith("x-envoy-")) return false;
  if (name == "content-length" || name == "server" || name == "age" || name == "rekindle" || name == "set-cookie") return false;
  return !isHopByHop(name, connection);
}
