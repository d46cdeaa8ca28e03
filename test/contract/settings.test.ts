import { beforeAll, describe, expect, test } from 'vitest';
import { loadWire, type WireModule } from './wire-module.ts';

let wire: WireModule;
beforeAll(async () => {
  wire = await loadWire();
});

const route = [{ path: { prefix: '/' } }];

describe('a plugin configuration that is not JSON text', () => {
  // google.protobuf.Struct {fields {key: "mode" value {string_value: "off"}}}
  const struct = Uint8Array.from([0x0a, 0x0d, 0x0a, 0x04, 0x6d, 0x6f, 0x64, 0x65, 0x12, 0x05, 0x1a, 0x03, 0x6f, 0x66, 0x66]);
  const hint = 'put the JSON into a google.protobuf.StringValue, a google.protobuf.Struct reaches the filter in binary form';

  test('names the likely cause', () => {
    expect(wire.problems('settings', struct)).toEqual([{ path: '', reason: `must start with byte 123 ({), got 10: ${hint}` }]);
    expect(wire.problems('settings', '')).toEqual([{ path: '', reason: `must start with byte 123 ({), got none: ${hint}` }]);
  });

  test('that is cut off says where', () => {
    expect(wire.settingsLine('{"services":[{"service":"shop"')).toBe('services[0] expected , or } at byte 30');
  });
});

describe('the log line', () => {
  test('names path and reason of each problem', () => {
    const configuration = { mode: 'on', services: [{ service: 'Shop' }], cache: { entries: 1 } };
    expect(wire.settingsLine(JSON.stringify(configuration))).toBe(
      'mode must be one of enforce, shadow, off, got "on"; ' +
        'services[0].service must be text like ^[a-z0-9][a-z0-9-]{0,62}$, got "Shop"; ' +
        'cache.entries must be an integer from 4 to 4096, got 1',
    );
  });

  test('is bounded, one line, and says how much it leaves out', () => {
    const services = Array.from({ length: 32 }, (_, index) => ({ service: `\n"${'é'.repeat(300)}${index}` }));
    const line = wire.settingsLine(JSON.stringify({ services }));
    expect(line.length).toBeLessThanOrEqual(512);
    expect(line).toMatch(/^services\[0\]\.service must have from 1 to 63 characters, got 30\d; [^\p{Cc}]*… and \d+ more$/u);
  });
});

test.for([
  ['enforce', 'enforce', 0],
  ['enforce', 'shadow', 1],
  ['shadow', 'enforce', 1],
  ['shadow', 'off', 2],
  ['off', 'enforce', 2],
  ['off', 'shadow', 2],
] as const)('a feature takes the stricter of its mode and the policy: %s, %s', ([mode, own, expected]) => {
  const policy = {
    service: 'shop',
    mode,
    features: [
      { name: 'catalog', mode: own, routes: route },
      { name: 'other', routes: [{ path: { exact: '/' } }] },
    ],
  };
  const { features } = wire.json('policyJson', JSON.stringify(policy)) as { features: { mode: number }[] };
  expect(features[0]?.mode).toBe(expected);
  expect(features[1]?.mode).toBe(['enforce', 'shadow', 'off'].indexOf(mode));
});

test('cluster rungs may name only clusters that are allowed', () => {
  const rungs = ['copy', 'secret'].map((name) => ({ cluster: { name } }));
  const policy = JSON.stringify({ service: 'shop', features: [{ name: 'catalog', routes: route, fallback: rungs }] });
  expect(wire.clusterProblems(policy, 'other,copy')).toEqual([
    { path: 'features[0].fallback[1].cluster.name', reason: 'must be one of fallbackClusters, got secret' },
  ]);
  expect(wire.clusterProblems(policy, 'secret,copy')).toEqual([]);
});

test('probe requests may name only clusters that are allowed for them', () => {
  const probe = { request: { cluster: 'secret', path: '/' } };
  const policy = { service: 'shop', features: [{ name: 'catalog', routes: route, probe }] };
  const problemsWith = (rest: object) => wire.problems('settings', JSON.stringify({ services: [{ service: 'shop', policy }], ...rest }));
  const refused = [{ path: 'services[0].policy.features[0].probe.request.cluster', reason: 'must be one of probeClusters, got secret' }];
  expect(problemsWith({})).toEqual(refused);
  expect(problemsWith({ fallbackClusters: ['secret'], probeClusters: ['other'] })).toEqual(refused);
  expect(problemsWith({ probeClusters: ['other', 'secret'] })).toEqual([]);
});

test('what a newer control plane knows and this filter does not is left out of a directive, not refused', () => {
  const features = [
    {
      name: 'catalog',
      dependsOn: [{ feature: 'shared', service: 'other' }],
      routes: [
        { path: { regex: '^/a' } },
        { path: { regex: '^/b' } },
        { path: { exact: '/x', caseless: true } },
        { path: { exact: '/x' } },
      ],
      fallback: [{ mirror: {} }, { static: { status: 200 } }],
      stickyKey: { query: 'user' },
      probe: { ping: { port: 80 } },
    },
  ];
  const policy = JSON.stringify({ service: 'shop', features });
  expect(wire.problems('policy', policy)).toEqual([]);
  expect(wire.json('policyJson', policy)).toMatchObject({
    features: [
      {
        routes: [
          { kind: 0, path: '/x' },
          { kind: 0, path: '/x' },
        ],
        fallback: [{ kind: 2, status: 200 }],
        stickyHeader: '',
        stickyCookie: '',
        probe: null,
      },
    ],
  });
});

test('a directive of 512 features is parsed and held to its schema in time', () => {
  const features = Array.from({ length: 512 }, (_, index) => ({
    name: `feature-${index}`,
    description: 'x'.repeat(300),
    dependsOn: index > 0 ? [{ feature: `feature-${index - 1}`, hard: true }] : [],
    routes: Array.from({ length: 3 }, (_, position) => ({
      methods: ['GET', 'HEAD'],
      path: { template: `/api/v${position}/feature-${index}/{id}` },
    })),
    breaker: { windowMs: 20_000, openMs: 1000, halfOpen: { probes: 3 } },
    fallback: [{ stale: { queryParameters: ['page', 'size'] } }, { static: { status: 200, body: 'y'.repeat(320) } }],
  }));
  const flags = features.map(({ name }) => ({ feature: name, step: 5, state: 'ENABLED', admit: 10_000, by: 'recovery' }));
  const names = { service: 'shop', lineage: 'l-1', hash: 'h-1' };
  const directive = Buffer.from(
    JSON.stringify({ ...names, revision: 9, policyRevision: 3, proxies: 12, flags, policy: { service: 'shop', features } }),
  );
  expect(directive.length).toBeGreaterThan(600_000);
  const millis = Array.from({ length: 12 }, () => {
    const start = process.cpuUsage();
    expect(wire.problems('directive', directive)).toEqual([]);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
  console.log(`${directive.length} bytes: least CPU ${millis[0]?.toFixed(1)} ms, median ${millis[6]?.toFixed(1)} ms`);
  // CPU time, since others may use the machine. The bar is 30 ms; caches that are shared may make it a few times as much.
  expect(millis[0]).toBeLessThan(90);
});
