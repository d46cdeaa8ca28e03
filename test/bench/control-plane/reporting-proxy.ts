import { LATENCY_BUCKETS_MS } from '../../../control-plane/contract/limits.ts';
import { Connection } from './connection.ts';

export interface ProxyOptions {
  readonly port: number;
  readonly service: string;
  readonly node: string;
  /** Features that have traffic; a report tells of these alone. */
  readonly features: readonly string[];
  readonly requestsPerReport: number;
  /** One that it shares with others, which must take turns; else it has one of its own. */
  readonly connection?: Connection;
}

/** As much of a proxy as reports: all its features fare well. */
export class ReportingProxy {
  private readonly options: ProxyOptions;
  private readonly connection: Connection;
  private readonly startedAtMs = performance.now();
  private sequence = 0;

  constructor(options: ProxyOptions) {
    this.options = options;
    this.connection = options.connection ?? new Connection(options.port);
  }

  /** Sends the next report and gives the time in ms until it was answered. */
  async report(intervalMs: number): Promise<number> {
    if (!this.connection.isOpen) await this.connection.open();
    const body = this.next(intervalMs);
    const fromMs = performance.now();
    const { status, start } = await this.connection.send('POST', `/v1/services/${this.options.service}/reports`, body);
    if (status !== 200) throw new Error(`a report was answered ${status}: ${start}`);
    return performance.now() - fromMs;
  }

  end(): void {
    this.connection.reset();
  }

  /** Written by hand: to make the reports must cost less than to take them. */
  private next(intervalMs: number): string {
    const { node, features, requestsPerReport } = this.options;
    this.sequence++;
    const requests = this.sequence * requestsPerReport;
    const told =
      `"step":1,"phase":"CLOSED","admitted":${requests},"succeeded":${requests},"failed":0,"ignored":0,"slow":0,"refused":0,` +
      `"degraded":{"stale":0,"cluster":0,"static":0},"latency":[0,${requests},${LATENCY_BUCKETS_MS.slice(1).map(() => 0)}]}`;
    const uptimeMs = Math.round(performance.now() - this.startedAtMs);
    return (
      `{"node":"${node}","instance":"${node}-1","sequence":${this.sequence},"uptimeMs":${uptimeMs},"intervalMs":${intervalMs},` +
      `"version":"bench","governed":true,"features":[${features.map((feature) => `{"feature":"${feature}",${told}`).join()}]}`
    );
  }
}

/** All report for so long, each as soon as its last report was answered; gives the times in ms until the answers. */
export async function reportFor(proxies: readonly ReportingProxy[], forMs: number): Promise<number[]> {
  const untilMs = performance.now() + forMs;
  const times: number[] = [];
  const all = proxies.map(async (proxy) => {
    while (performance.now() < untilMs) times.push(await proxy.report(1000));
  });
  await Promise.all(all);
  return times;
}
