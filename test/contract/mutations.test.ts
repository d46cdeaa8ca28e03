import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Directive } from '../../control-plane/contract/directive.ts';
import { PluginConfiguration } from '../../control-plane/contract/plugin-configuration.ts';
import { Policy } from '../../control-plane/contract/policy.ts';
import { ReportReply } from '../../control-plane/contract/report.ts';
import { arbitraryOf } from './arbitrary.ts';
import { controlPlanePaths, type Message } from './control-plane-side.ts';
import { EDITS, edited, strangers } from './edits.ts';
import { filterPaths } from './filter-side.ts';
import { directives } from './sound-directive.ts';
import { soundPolicies } from './sound-policy.ts';
import { loadWire, type WireModule } from './wire-module.ts';

let wire: WireModule;
beforeAll(async () => {
  wire = await loadWire();
});

// Law: a document that goes wrong in one place is refused by both sides, at the same paths.
describe.each(Object.entries(EDITS))('%s', (_, edit) => {
  const configurations = fc
    .tuple(arbitraryOf(PluginConfiguration), soundPolicies)
    .map(([drawn, { full }]) => ({ ...(drawn as object), services: [{ service: 'shop', policy: { ...full, service: 'shop' } }] }));

  test.for([
    ['policy', soundPolicies.map(({ full }) => full)],
    ['policy', soundPolicies.map(({ written }) => written)],
    ['report-reply', arbitraryOf(ReportReply)],
    ['plugin-configuration', configurations],
  ] as [Message, fc.Arbitrary<object>][])('%s', ([message, documents]) => {
    const own =
      message === 'plugin-configuration'
        ? /fallback\[\d+\]\.cluster\.name$|probe\.request\.cluster$|policy\.service$|services\[\d+\]\.service$|^cache\.shared$/
        : /^$/;
    fc.assert(
      fc.property(documents, fc.nat(), strangers, (document, at, stranger) => {
        const input = edited(document, at, edit, stranger);
        const expected = controlPlanePaths(message, input).map(asFilterPath);
        const found = filterPaths(wire, message, input).map(asFilterPath);
        fc.pre(expected.length < 50);
        // A reply may come from a newer control plane: members that the filter does not know are none of its business.
        const minded = message === 'report-reply' ? expected.filter((path) => !isInStranger(path, stranger)) : expected;
        const isLenient = message === 'report-reply' && edit === EDITS['a member added'];
        if (expected.length === 0 || !isLenient) expect(found.filter((path) => expected.includes(path) || !own.test(path))).toEqual(minded);
      }),
      { numRuns: 250 },
    );
  });

  test('directive, which a newer control plane may have added to', () => {
    fc.assert(
      fc.property(directives, fc.nat(), strangers, (directive, at, stranger) => {
        const input = edited(directive, at, edit, stranger);
        const expected = controlPlanePaths('directive', input).map(asFilterPath);
        fc.pre(expected.length < 50);
        const found = filterPaths(wire, 'directive', input).map(asFilterPath);
        const own = /^policy\.service$|^flags\[\d+\]\.feature$/;
        expect(found.filter((path) => !expected.includes(path) && !own.test(path))).toEqual([]);
        // What only the control plane minds: members that no schema knows, or one too many of them; rules that a filter has no use for.
        const unknown = edit === EDITS['a member added'] ? /./ : /dependsOn\[\d+\]\.feature$|routes\[\d+\]$/;
        const missed = expected.filter((path) => !found.includes(path) && !unknown.test(path));
        expect(missed.filter((path) => !isInStranger(path, stranger))).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });
});

/** The control plane quotes names that are no words, and takes those of digits for places; the filter tells them as they are. */
const asFilterPath = (path: string) =>
  path
    .replaceAll(/\bheaders\[(\d+)\]/g, 'headers.$1')
    .replaceAll(/\["?([^\]"]*)"?\]/g, (whole, name: string) => (/^\d+$/.test(name) ? whole : `.${name}`));

const isInStranger = (path: string, stranger: unknown) =>
  typeof stranger === 'object' && stranger !== null && Object.keys(stranger).some((name) => path.includes(`.${name}`) || path === name);

describe('no bytes trap the filter', () => {
  const documents = fc.oneof(
    directives.map((directive) => JSON.stringify(directive)),
    soundPolicies.map(({ written }) =>
      JSON.stringify({ services: [{ service: 'shop', policy: written }], controlPlane: { cluster: 'x' } }),
    ),
    arbitraryOf(ReportReply).map((reply) => JSON.stringify(reply)),
    fc.json(),
  );
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 4 })), { minLength: 1, maxLength: 6 });

  test('mutated bytes of valid documents', () => {
    const readers = ['policy', 'directive', 'settings', 'reply'] as const;
    fc.assert(
      fc.property(documents, edits, (text, changes) => {
        let bytes = Buffer.from(text);
        for (const [at, drop, put] of changes) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + drop)]);
          for (const reader of readers) wire.problems(reader, bytes);
          wire.jsonProblems(bytes);
        }
      }),
      { numRuns: 1200, interruptAfterTimeLimit: 15_000 },
    );
  });

  test('documents cut off anywhere', () => {
    const whole = Buffer.from(JSON.stringify(fc.sample(directives, { numRuns: 1, seed: 7 })[0]));
    for (let length = 0; length < whole.length; length++) expect(wire.problems('directive', whole.subarray(0, length))).toHaveLength(1);
  });

  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const reader of ['policy', 'directive', 'settings', 'reply'] as const) expect(wire.problems(reader, bytes)).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

test('problems of one document are bounded', () => {
  const features = Array.from({ length: 300 }, () => ({}));
  expect(wire.problems('policy', JSON.stringify({ service: 'shop', features }))).toHaveLength(50);
  expect(controlPlanePaths('policy', { service: 'shop', features }).length).toBeGreaterThan(50);
});

test('schemas of the contract are those that the laws above draw from', () => {
  for (const schema of [Policy, Directive, PluginConfiguration, ReportReply]) fc.sample(arbitraryOf(schema), 1);
});
