import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { DocumentReader, isRefused } from '../../control-plane/contract/documents.ts';
import { POLICY_EXAMPLE } from '../../control-plane/contract/examples.ts';
import { Policy } from '../../control-plane/contract/policy.ts';
import { readPolicy } from '../../control-plane/contract/policy-document.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { EDITS, edited, strangers } from './edits.ts';
import { soundPolicies } from './sound-policy.ts';

const schema = JSON.parse(readFileSync(join(projectRoot, 'docs/policy.schema.json'), 'utf8'));
/** An independent reading of the schema, which minds the schema itself, too: what it does not know is an error. */
const editor = new Ajv2020({ strict: true, allErrors: true }).compile(schema);
const reader = new DocumentReader(Policy);
const serverTakes = (document: unknown) => !isRefused(reader.read(structuredClone(document)));

describe('every example policy of the project', () => {
  const folders = ['envoy', 'docs'].map((folder) => join(projectRoot, folder));
  const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)));
  const policies = files
    .filter((file) => /\.ya?ml$/.test(file))
    .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => [file, document.toJS()] as const))
    .filter(([, document]) => typeof document?.service === 'string' && Array.isArray(document?.features));

  test('there are some', () => expect(policies.length).toBeGreaterThan(1));

  test.for([...policies, ['the OpenAPI pages', POLICY_EXAMPLE] as const])('$0', ([, policy]) => {
    editor(policy);
    expect(editor.errors).toBe(null);
  });
});

test('sound policies as people write them are taken by both', () => {
  fc.assert(
    fc.property(soundPolicies, ({ written }) => {
      editor(written);
      expect([editor.errors, serverTakes(written)]).toEqual([null, true]);
    }),
    { numRuns: 200 },
  );
});

// Law: what goes wrong in one place is refused by an editor if the server's schema refuses it, and only then.
test.for(Object.entries(EDITS))('%s', ([, edit]) => {
  fc.assert(
    fc.property(soundPolicies, fc.nat(), strangers, ({ written }, at, stranger) => {
      const document = edited(written, at, edit, stranger);
      expect(editor(document)).toBe(serverTakes(document));
    }),
    { numRuns: 250 },
  );
});

/** Rules between members, which a schema does not tell: editors take these documents, the server and `rekindle lint` do not. */
const beyond: Record<string, (policy: Policy) => void> = {
  'a report interval above a third of staleAfterMs': ({ governance }) =>
    void Object.assign(governance, { reportMs: governance.staleAfterMs }),
  'a feature twice': ({ features }) => void features.push(features[0]!),
  'a dependency on no feature': ({ features }) => void features[0]!.dependsOn.push({ feature: 'nobody', hard: false }),
  'a cycle': ({ features }) => void features[0]!.dependsOn.push({ feature: features[0]!.name, hard: false }),
  'a cap below its start': ({ features: [feature] }) => void Object.assign(feature!.breaker, { openCapMs: feature!.breaker.openMs - 1 }),
  'a ramp that does not end at 100': ({ features: [feature] }) => void Object.assign(feature!.recovery, { rampPercent: [1, 50] }),
  'a route that another one takes': ({ features: [feature] }) => void feature!.routes.push(feature!.routes[0]!),
  'an ill-formed template': ({ features: [feature] }) => void Object.assign(feature!.routes[0]!, { path: { template: '/{a' } }),
  'a header of the filter': ({ features: [feature] }) => void Object.assign(feature!.fallback.at(-1)!.static!.headers, { age: '1' }),
  'a body rung for gRPC': ({ features: [feature] }) => void Object.assign(feature!, { protocol: 'grpc' }),
  'a name taken over from a feature that is there': ({ features: [feature] }) =>
    void Object.assign(feature!, { renamedFrom: feature!.name }),
  'a reserved word': (policy) => void Object.assign(policy, { service: 'constructor' }),
};

test.for(Object.entries(beyond))('left to the server: %s', ([, spoil]) => {
  const read = reader.read(structuredClone(POLICY_EXAMPLE));
  if (isRefused(read)) throw new Error('the example is sound');
  spoil(read.value);
  expect([editor(read.value), 'problems' in readPolicy(reader, read.value, null)]).toEqual([true, true]);
});

test('each member is described, with its unit and its default', () => {
  const bare: string[] = [];
  const walk = (node: Record<string, Record<string, Record<string, unknown>>>, path: string): void => {
    for (const [name, member] of Object.entries(node['properties'] ?? {})) {
      const { description, default: preset, type } = member as { description?: string; default?: unknown; type?: string };
      const isTold = preset === undefined || type === 'object' || description?.includes(`Default: ${JSON.stringify(preset)}`);
      if (!description || description.startsWith(name) || !isTold) bare.push(`${path}${name}`);
      if (/Ms$/.test(name) && !description?.includes(', in ms')) bare.push(`${path}${name} has no unit`);
      walk(member as typeof node, `${path}${name}.`);
    }
    if (node['items']) walk(node['items'] as unknown as typeof node, `${path}[].`);
  };
  walk(schema, '');
  expect(bare).toEqual([]);
});
