import * as names from "../wire/contract.gen";
import { Counter, Gauge, label } from "./series";

/** Series of one service. */
export class ServiceMetrics {
  private readonly labels: string;
  private readonly rejected: Counter = new Counter();
  private readonly revision: Gauge = new Gauge();
  private readonly age: Gauge = new Gauge();
  private readonly connected: Gauge = new Gauge();
  private readonly governed: Gauge = new Gauge();

  constructor(service: string) {
    this.labels = label("service", service);
  }

  countRejected(): void {
    this.rejected.add();
  }

  flush(): void {
    this.rejected.flushIfAny(names.METRIC_DIRECTIVES_REJECTED_TOTAL, this.labels);
  }

  /** Written by the proxy's leader alone. */
  gauges(revision: i64, ageSeconds: i64, connected: bool, governed: bool): void {
    this.revision.set(names.METRIC_DIRECTIVE_REVISION, this.labels, revision);
    this.age.set(names.METRIC_DIRECTIVE_AGE_SECONDS, this.labels, ageSeconds);
    this.connected.set(names.METRIC_CONTROL_PLANE_CONNECTED, this.labels, connected ? 1 : 0);
    this.governed.set(names.METRIC_GOVERNED, this.labels, governed ? 1 : 0);
  }

  forgetGauges(): void {
    this.revision.forget(false);
    this.age.forget(false);
    this.connected.forget(false);
    this.governed.forget(false);
  }
}

const build: Gauge = new Gauge();

/** Which version acts for this proxy; `anew`: another VM may have said otherwise. Written by the leader alone. */
export function tellVersion(anew: bool): void {
  if (anew) build.forget(false);
  build.set(names.METRIC_BUILD_INFO, label("version", names.VERSION), 1);
}

/** This VM acts for nobody any more. */
export function retireVersion(): void {
  build.retire(names.METRIC_BUILD_INFO, label("version", names.VERSION));
}

const unmatched: Counter = new Counter();

/** A request that no feature matched. */
export function countUnmatched(): void {
  unmatched.add();
}

export function flushUnmatched(): void {
  unmatched.flushIfAny(names.METRIC_UNMATCHED_TOTAL, "");
}
