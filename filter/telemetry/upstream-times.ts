import { random32 } from "../abi/clock";
import { FeatureMetrics } from "./feature-metrics";

/** Times of a tick that are written at most. */
const MOST: i32 = 1000;
const sampleOf: StaticArray<FeatureMetrics | null> = new StaticArray<FeatureMetrics | null>(MOST);
const sampleMs: StaticArray<i64> = new StaticArray<i64>(MOST);
let samples: i32 = 0;
/** Times of this tick, written or not. */
let seen: i32 = 0;

/** Notes the time that an upstream took; written on the tick. */
export function sampleUpstreamMs(feature: FeatureMetrics, ms: i64): void {
  seen++;
  let place = samples;
  if (samples < MOST) samples++;
  else {
    // Reservoir sampling (Vitter 1985, algorithm R): each of the tick's times is kept with the same chance.
    place = <i32>(random32() % <u32>seen);
    if (place >= MOST) return;
  }
  sampleOf[place] = feature;
  sampleMs[place] = ms;
}

/** Writes the upstream times that were noted since the last tick. */
export function flushUpstreamTimes(): void {
  for (let i = 0; i < samples; i++) {
    const metrics = sampleOf[i];
    if (metrics !== null) metrics.record(sampleMs[i]);
  }
  samples = 0;
  seen = 0;
}
