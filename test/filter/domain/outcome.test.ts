import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEGRADED_REASONS } from '../../../control-plane/contract/metrics.ts';
import { loadFilter } from '../compile.ts';

interface OutcomeExports {
  addStatuses(from: number, to: number): void;
  clearStatuses(): void;
  isFailure(status: number): number;
  asksForFlags(status: number): number;
  judgeFlags(flags: bigint): number;
  causeFrom(status: number, grpcFailed: boolean, flags: bigint): number;
  setKinds(connectFailures: boolean, resets: boolean, timeouts: boolean, grpcStatuses: number): void;
  outcomeFrom(cause: number): number;
  replaceable(cause: number): number;
  isGrpcFailure(status: number): number;
  bucketOf(ms: bigint): number;
}

const CAUSES = ['none', 'status', 'timeout', 'connect', 'reset', 'grpc', 'overload', 'injected', 'cancelled'] as const;
const OUTCOMES = ['success', 'failure', 'ignored'] as const;
type CauseName = (typeof CAUSES)[number];

let filter: ASUtil & OutcomeExports;

beforeAll(async () => {
  filter = await loadFilter<OutcomeExports>('domain-formulas');
});
beforeEach(() => {
  filter.clearStatuses();
  filter.addStatuses(500, 599);
  filter.setKinds(true, true, true, DEFAULT_GRPC);
});

const DEFAULT_GRPC = [2, 4, 13, 14, 15].reduce((bits, status) => bits | (1 << status), 0);
const flagsOf = (...bits: number[]) => bits.reduce((flags, bit) => flags | (1n << BigInt(bit)), 0n);
const causeOfFlags = (...bits: number[]) => CAUSES[filter.judgeFlags(flagsOf(...bits))];

test.for<{ cause: CauseName; outcome: (typeof OUTCOMES)[number] }>([
  { cause: 'none', outcome: 'success' },
  { cause: 'status', outcome: 'failure' },
  { cause: 'timeout', outcome: 'failure' },
  { cause: 'connect', outcome: 'failure' },
  { cause: 'reset', outcome: 'failure' },
  { cause: 'grpc', outcome: 'failure' },
  { cause: 'overload', outcome: 'ignored' },
  { cause: 'injected', outcome: 'ignored' },
  { cause: 'cancelled', outcome: 'ignored' },
])('$cause is $outcome', ({ cause, outcome }) => {
  expect(OUTCOMES[filter.outcomeFrom(CAUSES.indexOf(cause))]).toBe(outcome);
});

describe('kinds of failures that the policy does not count', () => {
  const kinds = ['connect', 'reset', 'timeout'] as const;
  test.for(kinds)('%s: neither success nor failure, and no other answer takes its place', (off) => {
    filter.setKinds(off !== 'connect', off !== 'reset', off !== 'timeout', DEFAULT_GRPC);
    for (const kind of kinds) {
      const cause = CAUSES.indexOf(kind);
      expect([kind, OUTCOMES[filter.outcomeFrom(cause)]]).toEqual([kind, kind === off ? 'ignored' : 'failure']);
      expect([kind, filter.replaceable(cause) !== 0]).toEqual([kind, kind !== off]);
    }
  });

  test("an answer of Envoy's own caps is replaced though it does not count; an injected fault is left alone", () => {
    const replaced = CAUSES.filter((_cause, place) => filter.replaceable(place) !== 0);
    expect(replaced).toEqual(['status', 'timeout', 'connect', 'reset', 'grpc', 'overload']);
  });
});

test('causes from status to overload stand in the order of the degraded reasons', () => {
  const reasons = CAUSES.slice(CAUSES.indexOf('status'), CAUSES.indexOf('injected')).map((cause) =>
    cause === 'status' ? 'failure' : cause,
  );
  expect(DEGRADED_REASONS.slice(DEGRADED_REASONS.indexOf('failure'))).toEqual(reasons);
});

describe('gRPC status', () => {
  test("by default the server's own faults count", () => {
    const counted = Array.from({ length: 17 }, (_, status) => status).filter((status) => filter.isGrpcFailure(status) !== 0);
    expect(counted).toEqual([2, 4, 13, 14, 15]);
  });

  test.for([17, 1000, -5, 2 ** 31 - 1])('%i, which nobody knows, is judged as UNKNOWN', (status) => {
    expect(filter.isGrpcFailure(status)).not.toBe(0);
    filter.setKinds(true, true, true, DEFAULT_GRPC & ~(1 << 2));
    expect(filter.isGrpcFailure(status)).toBe(0);
  });

  test('it is a cause of its own; what Envoy says of it, or the HTTP status, weighs more', () => {
    expect(CAUSES[filter.causeFrom(200, true, 0n)]).toBe('grpc');
    expect(CAUSES[filter.causeFrom(200, true, flagsOf(5))]).toBe('connect');
    expect(CAUSES[filter.causeFrom(200, true, flagsOf(7))]).toBe('overload');
    expect(CAUSES[filter.causeFrom(503, true, 0n)]).toBe('status');
  });
});

describe('response flags', () => {
  test.for<{ name: string; bits: number[]; cause: CauseName }>([
    { name: 'none', bits: [], cause: 'none' },
    { name: 'UH, no healthy host', bits: [1], cause: 'connect' },
    { name: 'UT, timeout', bits: [2], cause: 'timeout' },
    { name: 'LR, local reset', bits: [3], cause: 'reset' },
    { name: 'UR, reset by the upstream', bits: [4], cause: 'reset' },
    { name: 'UF, connect failure', bits: [5], cause: 'connect' },
    { name: 'UC, connection ended', bits: [6], cause: 'reset' },
    { name: 'UO, concurrency cap', bits: [7], cause: 'overload' },
    { name: 'FI, injected fault', bits: [10], cause: 'injected' },
    { name: 'DC, client gone', bits: [14], cause: 'cancelled' },
    { name: 'URX, retries exhausted, blames nobody', bits: [15], cause: 'none' },
    { name: 'UPE, protocol error', bits: [23], cause: 'reset' },
    { name: 'downstream remote reset', bits: [28], cause: 'cancelled' },
    { name: 'a bit that is not known', bits: [40], cause: 'none' },
    { name: 'the highest bit', bits: [63], cause: 'none' },
    { name: 'retries exhausted after connect failures', bits: [5, 15], cause: 'connect' },
    { name: 'retries exhausted after overflow', bits: [7, 15], cause: 'overload' },
    { name: 'client gone while the upstream timed out', bits: [2, 14], cause: 'cancelled' },
    { name: 'injected fault and retries', bits: [10, 15], cause: 'injected' },
  ])('$name: $cause', ({ bits, cause }) => {
    expect(causeOfFlags(...bits)).toBe(cause);
  });

  test('law: the client gone, an injected fault or a local cap never count, whatever else is set', () => {
    fc.assert(
      fc.property(fc.constantFrom(7, 10, 14, 28), fc.array(fc.nat(63)), fc.integer({ min: 100, max: 599 }), (bit, others, status) => {
        expect(OUTCOMES[filter.outcomeFrom(filter.causeFrom(status, false, flagsOf(bit, ...others)))]).toBe('ignored');
      }),
    );
  });
});

describe('status', () => {
  test.for([
    { status: 499, failure: false },
    { status: 500, failure: true },
    { status: 599, failure: true },
    { status: 600, failure: false },
    { status: 429, failure: true },
    { status: 0, failure: false },
    { status: -1, failure: false },
  ])('$status with 500-599 and 429', ({ status, failure }) => {
    filter.addStatuses(429, 429);
    expect(filter.isFailure(status) !== 0).toBe(failure);
  });

  test.for<{ name: string; status: number; bits: number[]; cause: CauseName }>([
    { name: 'a good answer', status: 200, bits: [], cause: 'none' },
    { name: 'a failure of the upstream', status: 503, bits: [], cause: 'status' },
    { name: "Envoy's 503 for a connect failure", status: 503, bits: [5], cause: 'connect' },
    { name: "Envoy's 504", status: 504, bits: [2], cause: 'timeout' },
    { name: "Envoy's 503 for its own cap", status: 503, bits: [7], cause: 'overload' },
    { name: 'an injected 500', status: 500, bits: [10], cause: 'injected' },
  ])('$name: $cause', ({ status, bits, cause }) => {
    expect(CAUSES[filter.causeFrom(status, false, flagsOf(...bits))]).toBe(cause);
  });

  test('a policy without statuses still sees what Envoy failed at', () => {
    filter.clearStatuses();
    expect(CAUSES[filter.causeFrom(500, false, 0n)]).toBe('none');
    expect(CAUSES[filter.causeFrom(503, false, flagsOf(5))]).toBe('connect');
    expect(filter.asksForFlags(503)).not.toBe(0);
  });

  test('a good answer costs no look at the flags', () => {
    expect(filter.asksForFlags(200)).toBe(0);
    expect(filter.asksForFlags(404)).toBe(0);
    filter.addStatuses(404, 404);
    expect(filter.asksForFlags(404)).not.toBe(0);
  });
});

test.for([
  { ms: 0n, bucket: 0 },
  { ms: 5n, bucket: 0 },
  { ms: 6n, bucket: 1 },
  { ms: 10n, bucket: 1 },
  { ms: 100n, bucket: 2 },
  { ms: 101n, bucket: 3 },
  { ms: 2n ** 62n, bucket: 3 },
  { ms: -1n, bucket: 0 },
])('$ms ms is in bucket $bucket of 5, 10, 100', ({ ms, bucket }) => {
  expect(filter.bucketOf(ms)).toBe(bucket);
});
