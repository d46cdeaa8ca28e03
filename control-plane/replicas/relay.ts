import type { Logger } from 'pino';
import type { NodeLimits, Source } from '../access/node-limits.ts';
import type { Report } from '../contract/report.ts';
import type { Lead } from '../fleet/lead.ts';
import { takeEvidence } from '../fleet/report.ts';
import type { Fleet } from '../fleet.ts';
import type { Metrics } from '../metrics.ts';
import type { Bus } from '../store/store.ts';
import { Channel } from './channel.ts';

/** A batch is sent this long after its first report. */
const BATCH_MS = 50;
/** A larger one is sent at once. */
const BATCH_BYTES = 128 * 1024;
/** Replicas whose batches are counted; more than any fleet has, for names change with each start. */
const MOST_SENDERS = 1000;

/** One report, as the replica that took it tells the others. */
export interface Relayed {
  readonly service: string;
  /** For the limits on nodes; null: without tokens there are none. */
  readonly source: Pick<Source, 'address' | 'tokenId'> | null;
  readonly report: Report;
}

interface Batch {
  /** Grows by one per batch of a sender. */
  readonly number: number;
  readonly reports: readonly Relayed[];
}

export interface RelayDependencies {
  readonly fleet: Fleet;
  readonly lead: Lead;
  readonly nodeLimits: NodeLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly bus: Bus;
}

/**
 * Brings the reports that each replica takes to all others, so that every replica has the evidence of the whole fleet: views and reasons are the same
 * everywhere, and a new leader knows what the old one knew. Counters are cumulative, so a batch that is lost changes nothing (R9).
 */
export class Relay {
  private readonly fleet: Fleet;
  private readonly lead: Lead;
  private readonly nodeLimits: NodeLimits;
  private readonly metrics: Metrics;
  private readonly log: Logger;
  private readonly channel: Channel<Batch>;
  private readonly lastNumbers = new Map<string, number>();
  /** Relayed reports as JSON. */
  private waiting: string[] = [];
  private waitingBytes = 0;
  private number = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor({ fleet, lead, nodeLimits, metrics, log, bus }: RelayDependencies) {
    this.fleet = fleet;
    this.lead = lead;
    this.nodeLimits = nodeLimits;
    this.metrics = metrics;
    this.log = log;
    this.channel = new Channel(bus, 'reports', lead.holder);
  }

  start(): () => void {
    return this.channel.hear((batch, from) => this.take(batch, from));
  }

  /** Tells all other replicas, within BATCH_MS. */
  pass(relayed: Relayed): void {
    const text = JSON.stringify(relayed);
    this.waiting.push(text);
    this.waitingBytes += text.length;
    if (this.waitingBytes >= BATCH_BYTES) this.send();
    else this.timer ??= setTimeout(() => this.send(), BATCH_MS).unref();
  }

  private send(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.waiting.length > 0) this.channel.tellText(`{"number":${++this.number},"reports":[${this.waiting.join(',')}]}`);
    this.waiting = [];
    this.waitingBytes = 0;
  }

  private take({ number, reports }: Batch, from: string): void {
    this.count(from, number);
    for (const relayed of reports) {
      try {
        this.takeOne(relayed);
      } catch (error) {
        this.log.warn({ err: error, service: relayed?.service, from }, 'a report of another replica was not taken');
      }
    }
  }

  private takeOne({ service: name, source, report }: Relayed): void {
    const service = this.fleet.find(name);
    if (!service?.state) return; // not known here yet; the next report is
    const nowMs = this.fleet.clock();
    if (source) this.nodeLimits.reached({ ...source, service: name, node: report.node }, nowMs);
    const status = takeEvidence(this.fleet, service, service.state, report);
    if (this.lead.present) this.fleet.permits.note(service.state, report, nowMs);
    this.metrics.relayed.inc({ status });
  }

  /** Batches of one sender come in the order of their numbers or not at all. */
  private count(from: string, number: number): void {
    const last = this.lastNumbers.get(from);
    if (last === undefined && this.lastNumbers.size >= MOST_SENDERS) this.lastNumbers.clear();
    if (last !== undefined && number > last + 1) this.metrics.relayBatchesLost.inc(number - last - 1);
    if (last === undefined || number > last) this.lastNumbers.set(from, number);
  }
}
