import { circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { loadFilter } from '../../filter/compile.ts';
import type { Section } from './figure.ts';
import { median } from './statistics.ts';

interface Decision {
  request(nowMs: bigint, failed: boolean): number;
}

/** Calls of a contestant in a row, and what it is. */
interface Contestant {
  readonly name: string;
  readonly run: (calls: number) => Promise<void>;
}

/** A breaker's decision and bookkeeping for a call that succeeds, without any call. */
export async function isolatedDecision(calls: number, rounds: number): Promise<Section> {
  const contestants = [await ours(), cockatiel(), opossum()];
  const costs = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (const { run } of contestants) await run(calls / 10);
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contestants) {
      const before = process.cpuUsage();
      await run(calls);
      const { user, system } = process.cpuUsage(before);
      costs.get(name)?.push(((user + system) * 1000) / calls);
    }
  }
  return {
    title: 'A breaker decision in isolation',
    text: [
      'CPU time in Node of one call that succeeds: may it pass, and what came of it. Failure rate of 50 % over 10 s, at least 20 calls, in all three.',
      'Not compared: Rekindle gets the outcome told, the libraries wrap a function that returns a promise, which is the greater part of their time and',
      'what their users ask for; opossum also emits events and keeps statistics. What Rekindle pays for a real request is in the tables above.',
    ].join('\n'),
    header: ['breaker', 'ns per call'],
    rows: contestants.map(({ name }) => [name, median(costs.get(name) ?? []).toFixed(0)]),
    figures: [],
  };
}

async function ours(): Promise<Contestant> {
  const { request } = await loadFilter<{ request: Decision['request'] }>('bench-decision');
  return {
    name: 'Rekindle, compiled filter code',
    run: async (calls) => {
      const nowMs = BigInt(Math.round(performance.now()));
      for (let call = 0; call < calls; call++) request(nowMs, false);
    },
  };
}

function cockatiel(): Contestant {
  const breaker = new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 2 });
  const policy = circuitBreaker(handleAll, { halfOpenAfter: 5000, breaker });
  const work = async (): Promise<void> => {};
  return {
    name: 'cockatiel 3.2.1',
    run: async (calls) => {
      for (let call = 0; call < calls; call++) await policy.execute(work);
    },
  };
}

function opossum(): Contestant {
  const breaker = new CircuitBreaker(async () => {}, { timeout: false, errorThresholdPercentage: 50, volumeThreshold: 20 });
  return {
    name: 'opossum 9.0.0',
    run: async (calls) => {
      for (let call = 0; call < calls; call++) await breaker.fire();
      // Its timers would keep the process alive, were it not ended by the bench.
    },
  };
}
