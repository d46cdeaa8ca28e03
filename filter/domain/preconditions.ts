import { isText, memberEnd, skipBlank, trimBlank } from "./header-list";
import { httpDateMs, NO_DATE } from "./http-date";

/**
 * Whether a conditional GET or HEAD is answered by 304 from a copy with these validators (RFC 9110 section 13.2.2, steps 3 and 4; texts
 * are empty where a header is absent). `if-match` and `if-unmodified-since` are the origin's alone (RFC 9111 section 4.3.2). `nowMs`: wall clock, for
 * dates with two digits of a year.
 */
export function isNotModified(ifNoneMatch: string, ifModifiedSince: string, etag: string, lastModified: string, nowMs: i64): bool {
  if (ifNoneMatch.length > 0) return names(ifNoneMatch, etag);
  if (ifModifiedSince.length == 0 || lastModified.length == 0) return false;
  const since = httpDateMs(ifModifiedSince, nowMs);
  const modified = httpDateMs(lastModified, nowMs);
  return since != NO_DATE && modified != NO_DATE && modified <= since;
}

/** Whether the list names the tag by weak comparison (RFC 9110 section 8.8.3.2), or all. */
function names(list: string, etag: string): bool {
  if (isText(list, 0, list.length, "*")) return true;
  const tag = opaque(etag, 0, etag.length);
  if (tag.length == 0) return false;
  for (let from = 0; from < list.length; ) {
    const end = memberEnd(list, from);
    if (opaque(list, from, end) == tag) return true;
    from = end + 1;
  }
  return false;
}

/** An entity tag without its mark of weakness, quotes included. */
function opaque(text: string, from: i32, to: i32): string {
  from = skipBlank(text, from, to);
  to = trimBlank(text, from, to);
  if (to - from > 2 && text.charCodeAt(from) == 0x57 && text.charCodeAt(from + 1) == 0x2f) from += 2;
  return text.substring(from, to);
}
