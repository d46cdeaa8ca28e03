import fc from 'fast-check';
import Value from 'typebox/value';
import { beforeAll, describe, expect, test } from 'vitest';
import { withDefaults } from '../../control-plane/contract/defaults.ts';
import { Flag } from '../../control-plane/contract/directive.ts';
import { BREAKER_PHASES } from '../../control-plane/contract/names.ts';
import { ControlPlane, PluginConfiguration, ServiceEntry } from '../../control-plane/contract/plugin-configuration.ts';
import { Policy } from '../../control-plane/contract/policy.ts';
import { policyProblems } from '../../control-plane/contract/policy-rules.ts';
import { Report, ReportReply } from '../../control-plane/contract/report.ts';
import { arbitraryOf } from './arbitrary.ts';
import { directives } from './sound-directive.ts';
import { soundPolicies } from './sound-policy.ts';
import { understoodConfiguration, understoodPolicy } from './understood.ts';
import { loadWire, type RawReport, type WireModule } from './wire-module.ts';

let wire: WireModule;
beforeAll(async () => {
  wire = await loadWire();
});

const decoded = (bytes: Uint8Array) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Record<string, unknown>;

describe('a drawn policy', () => {
  test('is sound in the control plane, so that the laws below say something', () => {
    fc.assert(
      fc.property(soundPolicies, ({ written, full }) => {
        expect(withDefaults(Policy, structuredClone(written))).toEqual(full);
        expect([...Value.Errors(Policy, full)]).toEqual([]);
        expect(policyProblems(full)).toEqual([]);
      }),
    );
  });

  test('is understood by the filter, defaults and all', () => {
    fc.assert(
      fc.property(soundPolicies, ({ written, full }) => {
        expect(wire.problems('policy', JSON.stringify(written))).toEqual([]);
        expect(wire.json('policyJson', JSON.stringify(written))).toEqual(understoodPolicy(full));
      }),
    );
  });

  test('means the same with its defaults spelt out', () => {
    fc.assert(
      fc.property(soundPolicies, ({ written, full }) => {
        expect(wire.json('policyJson', JSON.stringify(full))).toEqual(wire.json('policyJson', JSON.stringify(written)));
      }),
    );
  });
});

describe('a drawn directive', () => {
  test('is accepted, and its flags survive decode, encode, decode', () => {
    fc.assert(
      fc.property(directives, (directive) => {
        const { policy, ...rest } = directive;
        const json = JSON.stringify(directive);
        expect(wire.problems('directive', json)).toEqual([]);
        const stored = wire.bytes('flagsOf', json);
        expect(decoded(stored)).toEqual({ deleted: false, ...rest });
        expect(wire.bytes('flagsOf', stored)).toEqual(stored);
        expect(new TextDecoder().decode(wire.bytes('policyBytesOf', json))).toBe(policy ? JSON.stringify(policy) : '');
      }),
    );
  });

  test('gives the policy that its stored bytes give', () => {
    fc.assert(
      fc.property(directives, (directive) => {
        fc.pre(directive.policy !== undefined);
        const json = JSON.stringify(directive);
        expect(wire.json('policyJson', wire.bytes('policyBytesOf', json))).toEqual(wire.json('directivePolicyJson', json));
      }),
    );
  });

  test('means the same with members of a newer control plane in it', () => {
    fc.assert(
      fc.property(directives, fc.jsonValue({ maxDepth: 3 }), (directive, value) => {
        const newer = withUnknown(directive, value);
        expect(wire.problems('directive', JSON.stringify(newer))).toEqual([]);
        expect(wire.bytes('flagsOf', JSON.stringify(newer))).toEqual(wire.bytes('flagsOf', JSON.stringify(directive)));
        expect(wire.json('directivePolicyJson', JSON.stringify(newer))).toEqual(
          wire.json('directivePolicyJson', JSON.stringify(directive)),
        );
      }),
    );
  });
});

/** The document with a member that no schema knows in each object but the header map of a static reply. */
function withUnknown(value: unknown, extra: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withUnknown(item, extra));
  if (typeof value !== 'object' || value === null || key === 'headers') return value;
  const members = Object.entries(value).map(([name, member]) => [name, withUnknown(member, extra, name)]);
  return { brandNew: extra, ...Object.fromEntries(members) };
}

test('a drawn plugin configuration is understood by the filter, defaults and all', () => {
  const entries = fc.tuple(arbitraryOf(ServiceEntry), fc.option(soundPolicies));
  const configurations = fc.tuple(
    arbitraryOf(PluginConfiguration),
    fc.array(entries, { minLength: 1, maxLength: 3 }),
    fc.option(arbitraryOf(ControlPlane)),
  );
  fc.assert(
    fc.property(configurations, ([drawn, services, controlPlane]) => {
      const written = {
        ...(drawn as object),
        services: services.map(([entry, policy], index) => {
          const { policy: _, ...rest } = entry as { service: string; policy?: unknown };
          const service = `s${index}-${rest.service}`.slice(0, 63);
          return { ...rest, service, ...(policy ? { policy: { ...policy.written, service } } : {}) };
        }),
        // Copies are shared through a control plane, or not at all.
        ...(controlPlane || (drawn as { cache?: { shared?: boolean } }).cache?.shared
          ? { controlPlane: controlPlane ?? { cluster: 'c' } }
          : {}),
      };
      const names = [...JSON.stringify(written.services).matchAll(/"cluster":\{"name":("[^"]*")/g)].map(
        (match) => JSON.parse(match[1] ?? '""') as string,
      );
      const probed = services.flatMap(([, policy]) => policy?.full.features.flatMap(({ probe }) => probe?.request?.cluster ?? []) ?? []);
      const clusters = { fallbackClusters: [...new Set(names)].slice(0, 64), probeClusters: [...new Set(probed)].slice(0, 64) };
      const configuration = { ...written, ...clusters };
      const full = withDefaults(PluginConfiguration, structuredClone(configuration)) as PluginConfiguration;
      expect([...Value.Errors(PluginConfiguration, full)]).toEqual([]);
      expect(wire.problems('settings', JSON.stringify(configuration))).toEqual([]);
      expect(wire.json('settingsJson', JSON.stringify(configuration))).toEqual(understoodConfiguration(full));
    }),
  );
});

test('a drawn report reply is understood by the filter', () => {
  fc.assert(
    fc.property(arbitraryOf(ReportReply), (reply) => {
      expect(wire.problems('reply', JSON.stringify(reply))).toEqual([]);
      expect(wire.json('replyJson', JSON.stringify(reply))).toEqual(withDefaults(ReportReply, structuredClone(reply)));
    }),
  );
});

describe('a report that the filter writes', () => {
  const name = arbitraryOf(Flag.properties.feature) as fc.Arbitrary<string>;
  const id = arbitraryOf(Report.properties.instance) as fc.Arbitrary<string>;
  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 600 }),
    fc.string({
      unit: fc.constantFrom('"', '\\', '/', '\n', '\0', '\u001f', '\u007f', 'é', '😀', '\ud83d', '\udc00', 'a'),
      maxLength: 300,
    }),
  );
  const counts = (length: number) =>
    fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 1000n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), {
      minLength: length,
      maxLength: length,
    });
  const reports: fc.Arbitrary<RawReport> = fc.record({
    node: anyText,
    instance: id,
    version: anyText,
    lineage: fc.oneof(fc.constant(''), id),
    reason: anyText,
    counts: counts(7),
    features: fc.array(fc.record({ name, counts: counts(23) }), { maxLength: 3 }),
  });

  test('is valid under the contract, whatever the filter holds', () => {
    fc.assert(
      fc.property(reports, (report) => {
        expect([...Value.Errors(Report, decoded(wire.encodeReport(report)))]).toEqual([]);
      }),
    );
  });

  test('says what the filter counted', () => {
    const sums = Array.from({ length: 23 }, (_, place) => BigInt(place + 100));
    const features = [{ name: 'checkout', counts: [7n, 2n, ...sums.slice(2)] }];
    const report = {
      node: 'sidecar~10.0.0.1',
      instance: 'a1',
      version: '0.1.0',
      lineage: 'l-1',
      reason: 'flags[0] "x"\n\\é',
      counts: [5n, 60_000n, 1000n, 12n, 1n, 3n, 11n],
      features,
    };
    expect(decoded(wire.encodeReport(report))).toEqual({
      node: 'sidecar~10.0.0.1',
      instance: 'a1',
      sequence: 5,
      uptimeMs: 60_000,
      intervalMs: 1000,
      version: '0.1.0',
      lineage: 'l-1',
      revision: 12,
      governed: true,
      rejected: { count: 3, revision: 11, reason: 'flags[0] "x"\n\\é' },
      features: [
        {
          feature: 'checkout',
          step: 7,
          phase: BREAKER_PHASES[2],
          admitted: 102,
          succeeded: 103,
          failed: 104,
          ignored: 105,
          slow: 106,
          refused: 107,
          degraded: { stale: 108, cluster: 109, static: 110 },
          latency: Array.from({ length: 12 }, (_, bucket) => 111 + bucket),
        },
      ],
    });
  });

  test('leaves out what the filter does not have', () => {
    const report = { node: '', instance: 'a1', version: '', lineage: '', reason: 'x', counts: [1n, 0n, 0n, 9n, 0n, 0n, 0n], features: [] };
    expect(decoded(wire.encodeReport(report))).toEqual({
      node: 'unknown',
      instance: 'a1',
      sequence: 1,
      uptimeMs: 0,
      intervalMs: 0,
      version: 'unknown',
      governed: false,
      features: [],
    });
  });
});
