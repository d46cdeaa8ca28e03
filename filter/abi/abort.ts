import { proxy_log, random_get } from "./imports";
import { LogLevel } from "./enums";

/** Called by compiled code that cannot go on. Says where, then traps: Envoy makes a new VM (FAIL_RELOAD). */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const text = String.UTF8.encode(
    "rekindle: abort: " + (message ? message : "?") + " at " + (file ? file : "?") + ":" + line.toString() + ":" + column.toString(),
  );
  proxy_log(LogLevel.Error, changetype<usize>(text), text.byteLength);
  unreachable();
}

const seedBytes = new StaticArray<u64>(1);

/** Seeds Math.random; without it the compiler would import `env.seed`, which Envoy does not have. */
export function seed(): f64 {
  random_get(changetype<usize>(seedBytes), 8);
  return reinterpret<f64>(seedBytes[0]);
}
