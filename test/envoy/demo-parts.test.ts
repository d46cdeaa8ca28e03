import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { putPolicy } from '../../envoy/demo/control-plane-process.ts';
import { listen } from '../../envoy/demo/http-server.ts';
import { parseMarker } from '../../envoy/demo/load.ts';
import { markedIn, parseSamples, sumIn, valueIn } from '../../envoy/demo/prometheus.ts';
import { parseShopMode } from '../../envoy/demo/shop-mode.ts';

const text = `# TYPE rekindle_breaker_phase gauge
rekindle_breaker_phase{service="shop",feature="catalog",phase="OPEN"} 1
rekindle_breaker_phase{service="shop",feature="catalog",phase="CLOSED"} 0
rekindle_unmatched_total{} 12
rekindle_upstream_ms_bucket{feature="catalog",le="+Inf"} 3
rekindle_requests_total{feature="catalog",outcome="success"} 4
rekindle_requests_total{feature="catalog",outcome="failure"} 2
`;

test('samples are read from a Prometheus text', () => {
  const samples = parseSamples(text);
  expect(samples).toHaveLength(6);
  expect(valueIn(samples, 'rekindle_unmatched_total')).toBe(12);
  expect(valueIn(samples, 'rekindle_requests_total', { outcome: 'failure' })).toBe(2);
  expect(valueIn(samples, 'rekindle_requests_total', { outcome: 'refused' })).toBeNull();
  expect(sumIn(samples, 'rekindle_requests_total', { feature: 'catalog' })).toBe(6);
  expect(markedIn(samples, 'rekindle_breaker_phase', { feature: 'catalog' }, 'phase')).toBe('OPEN');
});

test.for([
  { header: 'degraded; feature="checkout"; reason=open; rung=stale', rung: 'stale', reason: 'open' },
  { header: 'degraded;feature="rung";reason=failure;rung=cluster', rung: 'cluster', reason: 'failure' },
  { header: '', rung: null, reason: null },
])('the marker "$header" is read', ({ header, rung, reason }) => {
  expect(parseMarker(header)).toEqual({ rung, reason });
});

test.for([
  { given: { mode: 'ok' }, means: { mode: 'ok' } },
  { given: { mode: 'fail' }, means: { mode: 'fail', status: 503, healthyShare: 0 } },
  { given: { mode: 'slow', delayMs: 5, healthyShare: 0.5 }, means: { mode: 'slow', delayMs: 5, healthyShare: 0.5 } },
  { given: { mode: 'hang' }, means: { mode: 'hang', healthyShare: 0 } },
  { given: { mode: 'fail', status: 200 }, means: null },
  { given: { mode: 'fail', healthyShare: 2 }, means: null },
  { given: { mode: 'slow', delay: 5 }, means: null },
  { given: { mode: 'fial' }, means: null },
  { given: 'fail', means: null },
  { given: null, means: null },
])('the mode $given', ({ given, means }) => {
  expect(parseShopMode(given)).toEqual(means);
});

test('a store with access tokens, which shuts the demo out, is told with the remedy', async () => {
  const server = createServer((_, response) => response.writeHead(401).end());
  onTestFinished(() => void server.close());
  const port = await listen(server, 0);
  await expect(putPolicy(port, { service: 'shop' })).rejects.toThrow(/holds access tokens.*remove it to begin anew/);
});
