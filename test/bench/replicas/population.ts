import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../control-plane/connection.ts';
import { Crowd, changeFlag } from '../control-plane/crowd.ts';
import { namesOf } from '../control-plane/policies.ts';
import { ReportingProxy } from '../control-plane/reporting-proxy.ts';
import type { Fleet } from './fleet.ts';

/** Connections for the reports of all: with one for each proxy beside its watch, this process would run out of file descriptors. */
const reportConnections = 200;
const reportsEveryMs = 5000;
const featuresWithTraffic = 5;

/** Proxies of one service, spread evenly over the replicas: each watches, and reports every five seconds. */
export class Population {
  private readonly fleet: Fleet;
  private readonly service: string;
  private readonly crowds: readonly Crowd[];
  private readonly proxies: ReportingProxy[] = [];
  private readonly isOver = { value: false };
  private readonly reporting: Promise<void>[] = [];

  constructor(fleet: Fleet, service: string) {
    this.fleet = fleet;
    this.service = service;
    this.crowds = fleet.replicas.map(({ port }) => new Crowd(port, service));
  }

  get watchers(): number {
    return this.crowds.reduce((sum, { filters }) => sum + filters.length, 0);
  }

  /** Adds so many, who all watch and report once this resolves. */
  async grow(count: number): Promise<void> {
    await Promise.all(this.crowds.map((crowd) => crowd.gather(count / this.crowds.length)));
    const lanes = Math.min(count, reportConnections);
    for (let lane = 0; lane < lanes; lane++) this.addLane(lane, count / lanes);
    await sleep(1.5 * reportsEveryMs);
  }

  /** Times in ms from one change until each watcher has it. */
  async change(round: number): Promise<number[]> {
    const filters = this.crowds.flatMap((crowd) => crowd.filters);
    await Promise.all(this.crowds.map((crowd) => crowd.allWait()));
    const revision = Math.max(...filters.map((filter) => filter.revision)) + 1;
    const reached = this.crowds.map((crowd) => crowd.lastHas(revision));
    const fromMs = await changeFlag(this.fleet.replicas[round % 2]!.port, this.service, round);
    await Promise.all(reached);
    return filters.map(({ takenAtMs }) => takenAtMs - fromMs);
  }

  async end(): Promise<void> {
    this.isOver.value = true;
    await Promise.all(this.reporting);
    for (const proxy of this.proxies) proxy.end();
    for (const crowd of this.crowds) await crowd.end();
  }

  /** Proxies that report one after the other over one connection, evenly over the interval. */
  private addLane(lane: number, count: number): void {
    const { port } = this.fleet.replicas[lane % 2]!;
    const connection = new Connection(port);
    const proxies = Array.from({ length: Math.round(count) }, (_, index) => {
      const node = `node-${this.proxies.length + index}`;
      return new ReportingProxy({
        ...{ port, service: this.service, node, connection },
        ...{ features: namesOf(featuresWithTraffic), requestsPerReport: 50 },
      });
    });
    this.proxies.push(...proxies);
    this.reporting.push(this.reportInTurn(proxies));
  }

  private async reportInTurn(proxies: readonly ReportingProxy[]): Promise<void> {
    await sleep(Math.random() * (reportsEveryMs / proxies.length));
    let nextAtMs = performance.now();
    for (let turn = 0; !this.isOver.value; turn++) {
      await proxies[turn % proxies.length]!.report(reportsEveryMs);
      nextAtMs += reportsEveryMs / proxies.length;
      await sleep(Math.max(0, nextAtMs - performance.now()));
    }
  }
}
