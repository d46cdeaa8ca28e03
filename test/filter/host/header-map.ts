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
  private list: Pair[] = [];
  /** Changes since the map was made. */
  mutations = 0;

  static of(init: HeaderInit): HeaderMap {
    const map = new HeaderMap();
    for (const [name, values] of Object.entries(init)) for (const value of [values].flat()) map.append(name.toLowerCase(), value);
    return map;
  }

  get size(): number {
    return this.list.length;
  }

  get pairs(): readonly Pair[] {
    return this.list;
  }

  /** First value only: that is all that the ABI shows. */
  get(name: string): string | undefined {
    for (const pair of this.list) if (pair[0] === name) return pair[1];
    return undefined;
  }

  all(name: string): string[] {
    return this.list.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }

  add(name: string, value: string): void {
    this.mutations++;
    this.append(name.toLowerCase(), value);
  }

  /** Removes every value of the name, then adds one at the end. */
  set(name: string, value: string): void {
    this.mutations++;
    const key = name.toLowerCase();
    this.list = this.list.filter((pair) => pair[0] !== key);
    this.list.push([key, value]);
  }

  remove(name: string): void {
    this.mutations++;
    const key = name.toLowerCase();
    this.list = this.list.filter((pair) => pair[0] !== key);
  }

  replaceAll(pairs: readonly Pair[]): void {
    this.mutations++;
    this.list = [];
    for (const [name, value] of pairs) this.append(name.toLowerCase(), value);
  }

  copy(): HeaderMap {
    const map = new HeaderMap();
    map.list = [...this.list];
    return map;
  }

  private append(name: string, value: string): void {
    const at = JOINED.has(name) ? this.list.findIndex((pair) => pair[0] === name) : -1;
    if (at < 0) this.list.push([name, value]);
    else this.list[at] = [name, `${this.list[at]![1]},${value}`];
  }
}
