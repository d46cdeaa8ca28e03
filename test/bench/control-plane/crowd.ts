import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { WatchingFilter } from './watching-filter.ts';

/** Connections that are opened at the same time, where no storm is meant. */
const AT_ONCE = 200;

/** Filters that watch one service. */
export class Crowd {
  readonly filters: WatchingFilter[] = [];
  /** Called with the time at which the last filter took a revision. */
  private waitingFor: { readonly revision: number; left: number; readonly done: (atMs: number) => void } | null = null;
  private readonly port: number;
  private readonly service: string;

  constructor(port: number, service: string) {
    this.port = port;
    this.service = service;
  }

  /** Adds filters that all come in the same moment. */
  storm(count: number): void {
    for (let index = 0; index < count; index++) {
      const filter = new WatchingFilter(this.port, this.service, (taken) => this.taken(taken));
      this.filters.push(filter);
      void filter.live();
    }
  }

  /** Adds filters, a few at a time, until all wait. */
  async gather(count: number): Promise<void> {
    const until = this.filters.length + count;
    while (this.filters.length < until) {
      this.storm(Math.min(AT_ONCE, until - this.filters.length));
      await this.allWait();
    }
  }

  async allWait(): Promise<void> {
    await waitFor('all filters to wait', async () => (this.filters.every(({ isWaiting }) => isWaiting) ? true : null), 60_000, 20);
  }

  /** When the last filter has this revision, by `performance.now()`. */
  lastHas(revision: number): Promise<number> {
    const left = this.filters.filter((filter) => filter.revision < revision).length;
    if (left === 0) return Promise.resolve(Math.max(...this.filters.map(({ takenAtMs }) => takenAtMs)));
    return new Promise((done) => {
      this.waitingFor = { revision, left, done };
    });
  }

  async end(): Promise<void> {
    for (const filter of this.filters) filter.end();
    await pause(200);
  }

  private taken({ revision, takenAtMs }: WatchingFilter): void {
    const { waitingFor } = this;
    if (!waitingFor || revision < waitingFor.revision || --waitingFor.left > 0) return;
    this.waitingFor = null;
    waitingFor.done(takenAtMs);
  }
}

/** Changes a flag, and gives the moment at which that was asked for. */
export async function changeFlag(port: number, service: string, round: number): Promise<number> {
  const fromMs = performance.now();
  // Once there is an override, it is replaced whatever it is.
  const response = (await putOverride(port, service, round, { 'if-match': '*' })) ?? (await putOverride(port, service, round, {}));
  if (!response?.ok) throw new Error(`the change was refused: ${await response?.text()}`);
  await response.arrayBuffer();
  return fromMs;
}

/** null: there is no override yet. */
async function putOverride(port: number, service: string, round: number, condition: Record<string, string>): Promise<Response | null> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/services/${service}/features/feature-0/override`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...condition },
    body: JSON.stringify({ kind: 'HOLD', admit: 100 + (round % 2), reason: `bench ${round}` }),
  });
  return response.status === 412 ? null : response;
}
