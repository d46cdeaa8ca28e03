/** What the fleet's size and budget mean for the probing of proxies that are on their own (R8). */
export class FleetShape {
  /** Proxies that share the upstream; 0: not known, or each has its own. */
  proxies: i32 = 0;
  /** Probes that all of them together may have in flight. */
  budget: i32 = 1;
}
