import { HeaderPairs } from "../abi/pairs";
import { ControlPlaneSettings } from "../settings";

/** Headers of every call to the control plane. */
export function controlPlaneHeaders(to: ControlPlaneSettings, method: string, path: string): HeaderPairs {
  const headers = new HeaderPairs()
    .add(":method", method)
    .add(":path", path)
    .add(":authority", to.authority)
    .add("accept", "application/json");
  if (to.token.length > 0) headers.add("authorization", "Bearer " + to.token);
  return headers;
}

/** A header that is a number of seconds, in ms; -1: it is absent, or no such number. */
export function secondsMs(headers: HeaderPairs | null, name: string): i64 {
  const value: string | null = headers === null ? null : headers.get(name);
  if (value === null || value.length == 0 || value.length > 6) return -1;
  let seconds: i64 = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    seconds = seconds * 10 + digit;
  }
  return seconds * 1000;
}

/** `retry-after` in ms, when it is a number of seconds; 0 otherwise. */
export function retryAfterMs(headers: HeaderPairs | null): i64 {
  return max<i64>(secondsMs(headers, "retry-after"), 0);
}
