import { MetricKind, Status } from "./enums";
import { proxy_define_metric, proxy_increment_metric, proxy_record_metric } from "./imports";
import { outExtra, returnedExtra } from "./memory";

/** Id of a series, -1 when the host refuses. Each call makes a new id: define once per VM and keep it. */
export function defineMetric(kind: MetricKind, name: string): i32 {
  const bytes = String.UTF8.encode(name);
  const status = proxy_define_metric(kind, changetype<usize>(bytes), bytes.byteLength, outExtra());
  return status == Status.Ok ? <i32>returnedExtra() : -1;
}

/** Counters take positive offsets only. */
export function incrementMetric(id: i32, offset: i64): void {
  if (id >= 0 && offset > 0) proxy_increment_metric(id, offset);
}

/** Sets a gauge, or adds a sample to a histogram. */
export function recordMetric(id: i32, value: u64): void {
  if (id >= 0) proxy_record_metric(id, value);
}
