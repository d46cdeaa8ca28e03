/** Host calls that hand data to the module when they answer Ok: the dear ones, since the host calls back for memory. */
const DATA_CALLS: ReadonlySet<string> = new Set([
  'proxy_get_header_map_value',
  'proxy_get_header_map_pairs',
  'proxy_get_buffer_bytes',
  'proxy_get_property',
  'proxy_get_shared_data',
  'proxy_get_status',
  'proxy_call_foreign_function',
  'proxy_dequeue_shared_queue',
]);

const CLOCK_CALLS: ReadonlySet<string> = new Set(['clock_time_get', 'proxy_get_current_time_nanoseconds']);

/** Counts what a VM asks of the host, and the host of the VM. */
export class CallCounts {
  readonly #byName = new Map<string, number>();
  /** Calls of the module's allocator. */
  allocations = 0;

  /** Calls that handed data over. One that found nothing is counted, but not here. */
  dataCalls = 0;

  add(name: string): void {
    this.#byName.set(name, (this.#byName.get(name) ?? 0) + 1);
  }

  answered(name: string, result: unknown): void {
    if (result === 0 && DATA_CALLS.has(name)) this.dataCalls++;
  }

  of(name: string): number {
    return this.#byName.get(name) ?? 0;
  }

  get clockReads(): number {
    return this.#sum(CLOCK_CALLS);
  }

  /** Every host call with its count, for messages of failing tests. */
  get table(): Record<string, number> {
    return Object.fromEntries([...this.#byName].sort());
  }

  reset(): void {
    this.#byName.clear();
    this.allocations = 0;
    this.dataCalls = 0;
  }

  #sum(names: ReadonlySet<string>): number {
    let sum = 0;
    for (const name of names) sum += this.of(name);
    return sum;
  }
}
