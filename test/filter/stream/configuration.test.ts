import { afterEach, describe, expect, test } from 'vitest';
import { LogLevel } from '../host/enums.ts';
import { LoadError } from '../host/guest.ts';
import { EnvoyProxy } from '../host/proxy.ts';
import { configurationOf, expectClean, feature, type Json, release } from './scene.ts';

afterEach(expectClean);

const good = configurationOf({});
const withPolicy = (policy: Json): Json => ({
  services: [{ service: 'shop', policy: { service: 'shop', features: [feature('catalog')], ...policy } }],
});
const withFeature = (more: Json): Json => withPolicy({ features: [feature('catalog', more)] });

/** What Envoy's log shows of a refusal, or null when the configuration was taken. */
function refusal(configuration: string | Uint8Array): string[] | null {
  const proxy = new EnvoyProxy({ module: release, plugin: { configuration }, workers: 1 });
  try {
    proxy.addPlugin({ configuration });
    return null;
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    expect(
      proxy.logs.filter((line) => line.message.includes('Function failed')),
      'refused, not trapped',
    ).toEqual([]);
    return proxy.logs.filter((line) => line.level >= LogLevel.Error).map((line) => line.message);
  }
}

describe('a bad plugin configuration is refused with one line that says where and why', () => {
  const rows: readonly { name: string; configuration: unknown; says: readonly string[] }[] = [
    { name: 'no service', configuration: { services: [] }, says: ['services'] },
    { name: 'no services at all', configuration: {}, says: ['services'] },
    { name: 'an unknown member', configuration: { ...good, modes: 'off' }, says: ['modes'] },
    { name: 'a wrong mode', configuration: { ...good, mode: 'on' }, says: ['mode'] },
    { name: 'a mode that is a number', configuration: { ...good, mode: 1 }, says: ['mode'] },
    { name: 'a service name in capitals', configuration: { services: [{ service: 'Shop' }] }, says: ['services[0].service'] },
    { name: 'a service twice', configuration: { services: [{ service: 'a' }, { service: 'a' }] }, says: ['services[1].service', 'twice'] },
    { name: '33 services', configuration: { services: Array.from({ length: 33 }, (_, i) => ({ service: `s${i}` })) }, says: ['services'] },
    {
      name: 'a control plane without a cluster',
      configuration: { ...good, controlPlane: { authority: 'x' } },
      says: ['controlPlane.cluster'],
    },
    {
      name: 'a wait that is too long',
      configuration: { ...good, controlPlane: { cluster: 'c', waitMs: 600_000 } },
      says: ['controlPlane.waitMs', '60000'],
    },
    {
      name: 'a token with a line break',
      configuration: { ...good, controlPlane: { cluster: 'c', token: 'a\r\nx: y' } },
      says: ['controlPlane.token'],
    },
    { name: 'too few cache entries', configuration: { ...good, cache: { entries: 0 } }, says: ['cache.entries'] },
    { name: 'text for a number', configuration: { ...good, cache: { entries: '256' } }, says: ['cache.entries'] },
    { name: 'a policy of another service', configuration: withPolicy({ service: 'other' }), says: ['services[0].policy.service', 'other'] },
    { name: 'a policy without features', configuration: withPolicy({ features: [] }), says: ['services[0].policy.features'] },
    { name: 'a feature twice', configuration: withPolicy({ features: [feature('a'), feature('a')] }), says: ['features[1].name'] },
    { name: 'a feature without routes', configuration: withFeature({ routes: [] }), says: ['features[0].routes'] },
    {
      name: 'a path without a slash',
      configuration: withFeature({ routes: [{ path: { prefix: 'x' } }] }),
      says: ['features[0].routes[0].path.prefix'],
    },
    {
      name: 'two kinds of path',
      configuration: withFeature({ routes: [{ path: { prefix: '/x', exact: '/x' } }] }),
      says: ['features[0].routes[0].path'],
    },
    {
      name: 'a rate above 100 %',
      configuration: withFeature({ breaker: { failureRatePercent: 101 } }),
      says: ['breaker.failureRatePercent', '100'],
    },
    {
      name: 'a fraction of a percent',
      configuration: withFeature({ breaker: { failureRatePercent: 0.5 } }),
      says: ['breaker.failureRatePercent'],
    },
    { name: 'a negative duration', configuration: withFeature({ breaker: { openMs: -1 } }), says: ['breaker.openMs'] },
    { name: 'an unknown jitter', configuration: withFeature({ breaker: { jitter: 'some' } }), says: ['breaker.jitter'] },
    { name: 'a rung of two kinds', configuration: withFeature({ fallback: [{ stale: {}, static: {} }] }), says: ['fallback[0]'] },
    {
      name: 'a cluster that is not allowed',
      configuration: withFeature({ fallback: [{ cluster: { name: 'secret' } }] }),
      says: ['fallback[0].cluster.name', 'secret'],
    },
    {
      name: 'a header with a line break',
      configuration: withFeature({ fallback: [{ static: { headers: { 'x-a': 'b\r\nc: d' } } }] }),
      says: ['static.headers'],
    },
    {
      name: 'an unknown dependency',
      configuration: withFeature({ dependsOn: [{ feature: 'nobody' }] }),
      says: ['dependsOn[0].feature', 'nobody'],
    },
    {
      name: 'a cycle',
      configuration: withPolicy({
        features: [feature('a', { dependsOn: [{ feature: 'b' }] }), feature('b', { dependsOn: [{ feature: 'a' }] })],
      }),
      says: ['dependsOn'],
    },
  ];
  test.for(rows)('$name', ({ configuration, says }) => {
    const lines = refusal(JSON.stringify(configuration));
    expect(lines).toHaveLength(1);
    for (const part of says) expect(lines![0]).toContain(part);
  });

  test.for<{ name: string; configuration: string | Uint8Array; says: string }>([
    { name: 'nothing', configuration: '', says: 'StringValue' },
    { name: 'a Struct as protobuf bytes', configuration: new Uint8Array([0x0a, 0x0c, 0x0a, 0x04, 0x6d, 0x6f, 0x64, 0x65]), says: 'Struct' },
    { name: 'a list', configuration: '[]', says: 'StringValue' },
    { name: 'half of it', configuration: JSON.stringify(good).slice(0, 60), says: 'at byte' },
    { name: 'a comma too many', configuration: '{"services":[{"service":"a"}],}', says: 'at byte' },
    { name: 'more than 1 MiB', configuration: JSON.stringify({ ...good, padding: 'x'.repeat(1024 * 1024) }), says: '1048576' },
    { name: 'nested too deeply', configuration: `{"services":${'['.repeat(100)}${']'.repeat(100)}}`, says: 'deep' },
    {
      name: 'bytes that are not UTF-8',
      configuration: Buffer.concat([Buffer.from('{"services":[{"service":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}]}')]),
      says: 'at byte',
    },
  ])('$name', ({ configuration, says }) => {
    const lines = refusal(configuration);
    expect(lines).toHaveLength(1);
    expect(lines![0]).toContain(says);
  });

  test('several mistakes are named in the one line', () => {
    const lines = refusal(JSON.stringify({ ...good, mode: 'on', cache: { entries: 0 } }));
    expect(lines).toHaveLength(1);
    expect(lines![0]).toContain('mode');
    expect(lines![0]).toContain('cache.entries');
  });

  test('the token is in no log line', () => {
    const lines = refusal(JSON.stringify({ ...good, controlPlane: { cluster: 'c', token: 'top-secret-\u0001' } }));
    expect(lines!.join()).not.toContain('top-secret');
  });
});

test.for([
  { name: 'the smallest', configuration: { services: [{ service: 'a' }] } },
  { name: 'an inline policy', configuration: good },
  {
    name: 'all members',
    configuration: {
      ...good,
      mode: 'shadow',
      controlPlane: { cluster: 'c', authority: 'x', token: 't', waitMs: 1000 },
      cache: { entries: 4, maxBodyBytes: 1024 },
      fallbackClusters: ['outbound|80||x.y.svc'],
    },
  },
  { name: '512 features', configuration: withPolicy({ features: Array.from({ length: 512 }, (_, i) => feature(`f${i}`)) }) },
])('a good one is taken: $name', ({ configuration }) => {
  expect(refusal(JSON.stringify(configuration))).toBeNull();
});

test('the canary writes nothing to shared data', () => {
  const proxy = new EnvoyProxy({ module: release, plugin: { configuration: '' }, workers: 0 });
  proxy.addPlugin({ configuration: JSON.stringify(good) });
  expect(proxy.shared.keys(proxy.vmId)).toEqual([]);
});
