import type { Logger } from 'pino';
import type { Permit, Report } from '../contract/report.ts';
import { livelyFeatures } from '../domain/at-rest.ts';
import { isGoverning } from '../domain/flags.ts';
import type { ServiceState } from '../domain/model.ts';
import type { Lead } from '../fleet/lead.ts';
import { takeEvidence } from '../fleet/report.ts';
import type { Fleet } from '../fleet.ts';
import type { Metrics } from '../metrics.ts';
import type { Bus } from '../store/store.ts';
import { Channel } from './channel.ts';

/** A reply to a proxy waits at most this long for the leader's permits. */
const WAIT_MS = 250;

/** To the leader: the report of a proxy that may earn permits. */
interface Ask {
  readonly number: number;
  readonly service: string;
  readonly report: Report;
}

interface Answer {
  /** That of the ask. */
  readonly number: number;
  readonly permits: readonly Permit[];
}

export interface DeskDependencies {
  readonly fleet: Fleet;
  readonly lead: Lead;
  readonly bus: Bus;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Whom to ask; null: nobody is known to lead. */
  readonly leader: () => string | null;
  /** Keeps in the store, under the present leadership, until when what was granted may count; false: this process leads no more. */
  readonly keepTerm: () => Promise<boolean>;
}

/**
 * Gets the permits of a reply from the leader, who alone grants any: here, or over the bus. Whatever is lost on the way is without permits
 * for the proxy and counts in the leader's ledger all the same, so that the budget holds (R8).
 */
export class PermitDesk {
  private readonly dependencies: DeskDependencies;
  private readonly waiting = new Map<number, (permits: readonly Permit[]) => void>();
  private readonly self: string;
  private number = 0;

  constructor(dependencies: DeskDependencies) {
    this.dependencies = dependencies;
    this.self = dependencies.lead.holder;
  }

  start(): () => void {
    const asks = this.asksOf(this.self).hear((ask, from) => {
      this.answer(ask, from).catch((error: Error) =>
        this.dependencies.log.warn({ err: error, from }, 'a question for permits was not answered'),
      );
    });
    const answers = this.answersTo(this.self).hear(({ number, permits }) => this.waiting.get(number)?.(permits));
    return () => {
      asks();
      answers();
    };
  }

  /** Permits for the reply to this report, which counts as evidence already. */
  permitsFor(state: ServiceState, report: Report): readonly Permit[] | Promise<readonly Permit[]> {
    const { lead, leader } = this.dependencies;
    if (lead.present) return this.grant(state, report);
    const to = leader();
    if (to === null || to === this.self || !mayEarn(state, report)) return [];
    return this.ask(to, { number: ++this.number, service: state.service, report });
  }

  private ask(to: string, ask: Ask): Promise<readonly Permit[]> {
    return new Promise((resolve) => {
      const end = (permits: readonly Permit[], result: 'answered' | 'late') => {
        clearTimeout(timer);
        this.waiting.delete(ask.number);
        this.dependencies.metrics.permitAsks.inc({ result });
        resolve(permits);
      };
      const timer = setTimeout(() => end([], 'late'), WAIT_MS);
      this.waiting.set(ask.number, (permits) => end(permits, 'answered'));
      this.asksOf(to).tell(ask);
    });
  }

  /** As the leader. Whoever leads no more does not answer. */
  private async answer({ number, service: name, report }: Ask, from: string): Promise<void> {
    const { fleet, lead } = this.dependencies;
    const service = fleet.find(name);
    if (!service?.state || !lead.present) return;
    takeEvidence(fleet, service, service.state, report);
    const permits = await this.grant(service.state, report);
    this.answersTo(from).tell({ number, permits });
  }

  /** Nothing goes out before the store has its term: whoever leads next waits it out. */
  private grant(state: ServiceState, report: Report): readonly Permit[] | Promise<readonly Permit[]> {
    const { fleet, keepTerm } = this.dependencies;
    const suspects = fleet.find(state.service)?.suspects ?? {};
    const permits = fleet.permits.grant(state, report, fleet.clock(), suspects);
    if (permits.every(({ count }) => count === 0)) return permits;
    return keepTerm().then(
      (isKept) => (isKept ? permits : []),
      () => [],
    );
  }

  private asksOf(replica: string): Channel<Ask> {
    return new Channel(this.dependencies.bus, `asks:${replica}`, this.self);
  }

  private answersTo(replica: string): Channel<Answer> {
    return new Channel(this.dependencies.bus, `answers:${replica}`, this.self);
  }
}

/** Whether the leader may have a word on the probes of this proxy; as long as a feature is open, that is also to take permits back. */
function mayEarn(state: ServiceState, report: Report): boolean {
  if (!report.governed || !isGoverning(state)) return false;
  for (const name of livelyFeatures(state)) {
    const record = state.features[name];
    if (record?.state === 'DISABLED' && record.recovery) return true;
  }
  return false;
}
