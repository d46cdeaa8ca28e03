/** Names of the shared-data keys. Shared data is never freed: names come from the policy and from fixed numbers only. */
const PREFIX = "rk1:";

/** Random identity of the proxy process and its drawn constants. */
export function proxyKey(): ArrayBuffer {
  return String.UTF8.encode(PREFIX + "proxy");
}

export function serviceKey(service: string, part: string): ArrayBuffer {
  return String.UTF8.encode(PREFIX + service + ":" + part);
}

export function cacheKey(part: string, slot: i32): ArrayBuffer {
  return String.UTF8.encode(PREFIX + "cache:" + part + slot.toString());
}
