/** Header names that Envoy keeps once: a second value is joined to the first with a comma. */
const JOINED = new Set([
  ':authority',
  ':method',
  ':path',
  ':scheme',
  ':status',
  'connection',
  'content-length',
  'content-type',
  'date',
  'grpc-message',
  'grpc-status',
  'host',
  'server',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
  // One value each by Envoy's own use.
  'x-envoy-max-retries',
  'x-envoy-upstream-rq-timeout-ms',
  'x-request-id',
]);

export type Pair = readonly [name: string, value: string];
/** Headers as tests write them; an array gives a name several values. */
export type HeaderInit = Readonly<Record<string, string | readonly string[]>>;

/** Header map of Envoy: names in lower case, order kept, several values of one name as entries of their own. */
export class HeaderMap {
  #pairs: Pair[] = [];
  /** Changes since the map was made. */
  mutations = 0;

  static of(init: HeaderInit): HeaderMap {
    const map = new HeaderMap();
    for (const [name, values] of Object.entries(init)) for (const value of [values].flat()) map.#append(name.toLowerCase(), value);
    return map;
  }

  get size(): number {
    return this.#pairs.length;
  }

  get pairs(): readonly Pair[] {
    return this.#pairs;
  }

  /** First value only: that is all that the ABI shows. */
  get(name: string): string | undefined {
    for (const pair of this.#pairs) if (pair[0] === name) return pair[1];
    return undefined;
  }

  all(name: string): string[] {
    return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }

  add(name: string, value: string): void {
    this.mutations++;
    this.#append(name.toLowerCase(), value);
  }

  /** Removes every value of the name, then adds one at the end. */
  set(name: string, value: string): void {
    this.mutations++;
    const key = name.toLowerCase();
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== key);
    this.#pairs.push([key, value]);
  }

  remove(name: string): void {
    this.mutations++;
    const key = name.toLowerCase();
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== key);
  }

  replaceAll(pairs: readonly Pair[]): void {
    this.mutations++;
    this.#pairs = [];
    for (const [name, value] of pairs) this.#append(name.toLowerCase(), value);
  }

  copy(): HeaderMap {
    const map = new HeaderMap();
    map.#pairs = [...this.#pairs];
    return map;
  }

  #append(name: string, value: string): void {
    const at = JOINED.has(name) ? this.#pairs.findIndex((pair) => pair[0] === name) : -1;
    if (at < 0) this.#pairs.push([name, value]);
    else this.#pairs[at] = [name, `${this.#pairs[at]![1]},${value}`];
  }
}
