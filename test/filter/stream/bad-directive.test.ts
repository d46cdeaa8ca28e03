import { afterEach, describe, expect, test } from 'vitest';
import type { AnswerInit } from '../host/calls.ts';
import { connected, inForce, policyWith } from './directive-scene.ts';
import { expectClean, feature } from './scene.ts';

afterEach(expectClean);

describe('a bad directive', () => {
  const good = {
    service: 'shop',
    lineage: 'first',
    revision: 2,
    hash: 'x2',
    policyRevision: 2,
    proxies: 1,
    flags: [],
    policy: policyWith('second'),
  };
  const without = (...names: string[]) => Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)));
  const flag = { feature: 'catalog', step: 1, state: 'DISABLED', admit: 0, by: 'recovery' };
  const rows: readonly { name: string; body: string }[] = [
    { name: 'truncated', body: JSON.stringify(good).slice(0, -20) },
    { name: 'empty', body: '' },
    { name: 'not JSON', body: '<html>proxy error</html>' },
    { name: 'a list', body: '[]' },
    { name: 'a number', body: '7' },
    { name: 'null', body: 'null' },
    { name: 'of another service', body: JSON.stringify({ ...good, service: 'other' }) },
    { name: 'without a lineage', body: JSON.stringify(without('lineage')) },
    { name: 'without flags', body: JSON.stringify(without('flags')) },
    { name: 'with a revision that is text', body: JSON.stringify({ ...good, revision: '2' }) },
    { name: 'with a negative revision', body: JSON.stringify({ ...good, revision: -1 }) },
    { name: 'with a fractional revision', body: JSON.stringify({ ...good, revision: 1.5 }) },
    {
      name: 'with a revision beyond what JSON carries',
      body: JSON.stringify(good).replace('"revision":2', '"revision":99999999999999999999'),
    },
    { name: 'with an unknown state', body: JSON.stringify({ ...good, flags: [{ ...flag, state: 'OFF' }] }) },
    { name: 'with a share above 100 %', body: JSON.stringify({ ...good, flags: [{ ...flag, admit: 10_001 }] }) },
    { name: 'with one feature twice', body: JSON.stringify({ ...good, flags: [flag, flag] }) },
    { name: 'with a policy of another service', body: JSON.stringify({ ...good, policy: { ...policyWith('x'), service: 'other' } }) },
    { name: 'with a policy without features', body: JSON.stringify({ ...good, policy: { service: 'shop', features: [] } }) },
    {
      name: 'with a policy of 513 features',
      body: JSON.stringify({ ...good, policy: { service: 'shop', features: Array.from({ length: 513 }, (_, i) => feature(`f${i}`)) } }),
    },
    { name: 'with a body that is too large', body: JSON.stringify({ ...good, padding: 'x'.repeat(1024 * 1024) }) },
    { name: 'nested too deeply', body: `{"service":"shop","flags":${'['.repeat(50_000)}${']'.repeat(50_000)}}` },
    { name: 'without the policy that the filter does not hold', body: JSON.stringify(without('policy')) },
    { name: 'with bytes that are not UTF-8', body: JSON.stringify(good).replace('second', 'sec\\ud800ond') },
    { name: 'of a lower revision of the same lineage', body: JSON.stringify({ ...good, revision: 0, hash: 'x0' }) },
  ];
  test.for(rows)('$name: the last one stays, on every worker, and it is counted', ({ name, body }) => {
    const it = connected();
    it.fleet.watchScript.push((call) => call.respond({ status: 200, body }));
    it.fleet.publish('shop', { revision: 1 });
    it.advance(30_000);
    it.advance(1000);
    for (const worker of [0, 1]) expect(inForce(it, worker)).toBe('first');
    expect(it.metric('directives_rejected_total', { service: 'shop' }), name).toBe(1);
    const told = it.fleet.reports.at(-1)!;
    expect(told).toMatchObject({ revision: 1, rejected: { count: 1 } });
    expect(told.rejected!.reason.length).toBeGreaterThan(5);
    expect(it.warnings.filter((line) => line.includes('directive refused'))).toHaveLength(1);
  });

  test.for<{ name: string; answer: AnswerInit }>([
    { name: '404: a service that the store does not know keeps what it has', answer: { status: 404 } },
    { name: '500', answer: { status: 500, body: 'oops' } },
    { name: '503 with retry-after', answer: { status: 503, headers: { 'retry-after': '3' } } },
    { name: 'a status that is no number', answer: { headers: { ':status': 'abc' } } },
    { name: 'a redirect', answer: { status: 302, headers: { location: '/elsewhere' } } },
  ])('$name', ({ answer }) => {
    const it = connected();
    it.fleet.watchScript.push((call) => call.respond(answer));
    it.fleet.publish('shop', { revision: 1 });
    it.advance(30_000);
    expect(inForce(it)).toBe('first');
    expect(it.metric('directives_rejected_total')).toBe(0);
    it.fleet.publish('shop', { policy: policyWith('later') });
    it.advance(31_000);
    expect(inForce(it)).toBe('later');
  });

  test('does not keep the next good one out', () => {
    const it = connected();
    it.fleet.watchScript.push((call) => call.respond({ status: 200, body: '{' }));
    it.advance(30_000);
    it.fleet.publish('shop', { policy: policyWith('second') });
    it.advance(31_000);
    expect(inForce(it)).toBe('second');
  });

  test('is not asked for again at once', () => {
    const it = connected();
    for (let i = 0; i < 100; i++) it.fleet.watchScript.push((call) => call.respond({ status: 200, body: '{' }));
    const before = it.fleet.watches.length;
    it.advance(60_000);
    expect(it.fleet.watches.length - before).toBeLessThan(12);
  });
});
