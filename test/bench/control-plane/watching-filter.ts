import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.ts';

const NAME = /"lineage":"([^"]*)","revision":(\d+),"hash":"([^"]*)","policyRevision":(\d+)/;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** As much of a filter as watches: it asks for the directive, waits for the next one, and comes back with jitter when it is turned away. */
export class WatchingFilter {
  /** Revision that it has; 0: none. */
  revision = 0;
  /** When it last took a directive, by `performance.now()`. */
  takenAtMs = 0;
  isWaiting = false;
  refusals = 0;
  private readonly service: string;
  private readonly connection: Connection;
  private readonly onTaken: (filter: WatchingFilter) => void;
  private held = '';
  private retryMs = FIRST_RETRY_MS;
  private isOver = false;

  constructor(port: number, service: string, onTaken: (filter: WatchingFilter) => void = () => undefined) {
    this.service = service;
    this.connection = new Connection(port);
    this.onTaken = onTaken;
  }

  /** Watches until it is ended. */
  async live(): Promise<void> {
    while (!this.isOver) {
      const waitMs = await this.ask().catch(() => this.backOff());
      if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });
    }
  }

  /** The connection breaks; it comes back at once. */
  lose(): void {
    this.connection.reset();
  }

  end(): void {
    this.isOver = true;
    this.connection.reset();
  }

  private async ask(): Promise<number> {
    if (!this.connection.isOpen) await this.connection.open();
    this.isWaiting = this.held !== '';
    const { status, start, retryAfterSeconds } = await this.connection.send(
      'GET',
      `/v1/services/${this.service}/directive?wait=55${this.held}`,
    );
    this.isWaiting = false;
    if (status === 200) this.take(start);
    if (status === 200 || status === 304) {
      this.retryMs = FIRST_RETRY_MS;
      return 0;
    }
    this.refusals++;
    return retryAfterSeconds === null ? this.backOff() : 1000 * retryAfterSeconds * (1 + Math.random() / 2);
  }

  private backOff(): number {
    this.isWaiting = false;
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
    return this.retryMs * Math.random();
  }

  private take(start: string): void {
    const name = NAME.exec(start);
    if (!name) throw new Error(`not a directive: ${start}`);
    const [, lineage, revision, hash, policyRevision] = name;
    this.revision = Number(revision);
    this.held = `&lineage=${lineage}&revision=${revision}&hash=${hash}&policyRevision=${policyRevision}`;
    this.takenAtMs = performance.now();
    this.onTaken(this);
  }
}
