import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { projectRoot } from '../../scripts/project-root.ts';
import { soundPolicies } from '../contract/sound-policy.ts';
import { JsonText } from './json-text.ts';

const vectorFolder = join(projectRoot, 'test/contract/vectors');
/** The service that directives and most configurations are about. */
export const SERVICE = 'shop';
/** The same ones in each run: only what becomes of them is drawn. */
const POLICIES = { numRuns: 120, seed: 11 };
/** Characters of a policy that is drawn often enough to be hit in each place. */
const SMALL = 1800;

/** Every kind of rung, key and threshold at once, and breakers that trip soon. */
const LIVELY = {
  service: SERVICE,
  features: [
    {
      name: 'catalog',
      routes: [{ path: { template: '/catalog/{id}' } }, { host: '*.example', methods: ['GET', 'POST'], path: { prefix: '/c' } }],
      stickyKey: { cookie: 'sid' },
      failure: { slowMs: 50 },
      breaker: { minimumRequests: 2, openMs: 1000, rampMs: 1000 },
      fallback: [
        { stale: { refreshMs: 100, queryParameters: ['a', 'b'], varyHeaders: ['accept', 'accept-language'] } },
        { cluster: { name: 'spare', timeoutMs: 100 } },
        { static: { status: 200, headers: { 'x-a': 'b' }, body: 'sorry' } },
      ],
    },
    {
      name: 'cart',
      routes: [{ path: { prefix: '/cart' } }],
      stickyKey: { header: 'x-user' },
      breaker: { consecutiveFailures: 2 },
      fallback: [{ cluster: { name: 'spare' } }],
    },
    { name: 'plain', routes: [{ path: { exact: '/plain' } }], breaker: { consecutiveFailures: 1, openMs: 1000 } },
  ],
};

/** What is mutated: well-formed documents of each kind, most of them valid. */
export interface Documents {
  readonly policies: readonly JsonText[];
  readonly configurations: readonly JsonText[];
  /** Values of all documents by the name of their member, to be put where another document has the same member. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Paths that the routes of the policies speak of. */
  readonly paths: readonly string[];
}

export function loadDocuments(): Documents {
  const drawn = fc
    .sample(soundPolicies, POLICIES)
    .map(({ written }) => ({ ...written, service: SERVICE }))
    .filter((policy) => JSON.stringify(policy).length <= SMALL);
  const policies = [LIVELY, LIVELY, LIVELY, ...drawn, ...vectors('policy')];
  const configurations = [...policies.map(configurationOf), ...manyServices(), ...vectors('plugin-configuration')];
  const texts = { policies: policies.map(asText), configurations: configurations.map(asText) };
  return { ...texts, values: valuesOf([...texts.policies, ...texts.configurations]), paths: [...new Set(texts.policies.flatMap(pathsOf))] };
}

const asText = (document: unknown): JsonText => new JsonText(JSON.stringify(document).replaceAll(/[^\0-\x7f]/g, escaped));
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

function configurationOf(policy: unknown, index: number): unknown {
  const clusters = [...JSON.stringify(policy).matchAll(/"cluster":\{"name":"([^"\\ ]+)"/g)].map((match) => match[1]);
  const probed = [...JSON.stringify(policy).matchAll(/"request":\{"cluster":"([^"\\ ]+)"/g)].map((match) => match[1]);
  return {
    services: [{ service: SERVICE, ...(index % 4 === 3 ? {} : { policy }) }],
    controlPlane: { cluster: 'control-plane', authority: 'rekindle', token: 'secret' },
    cache: { entries: 8, maxBodyBytes: 2048 },
    fallbackClusters: [...new Set([...clusters, 'spare'])],
    probeClusters: [...new Set([...probed, 'spare'])],
  };
}

function manyServices(): unknown[] {
  const controlPlane = { cluster: 'control-plane', authority: 'rekindle' };
  const by = (matches: (i: number) => object, count: number) => ({
    services: Array.from({ length: count }, (_, i) => ({ service: i === 0 ? SERVICE : `s${i}`, ...matches(i) })),
    controlPlane,
  });
  return [
    by((i) => ({ hosts: [`s${i}.example`] }), 3),
    by((i) => ({ clusters: [`c${i}`] }), 4),
    by((i) => ({ hosts: [`s${i}.example`] }), 32),
  ];
}

function vectors(message: string): unknown[] {
  const names = readdirSync(vectorFolder).filter((name) => name.startsWith(`${message}.`));
  const inputs = names.map((name) => (JSON.parse(readFileSync(join(vectorFolder, name), 'utf8')) as { input: unknown }).input);
  return inputs.filter((input) => typeof input === 'object' && input !== null);
}

function valuesOf(documents: readonly JsonText[]): Map<string, string[]> {
  const values = new Map<string, Set<string>>();
  for (const { text, places } of documents) {
    for (const { name, start, end } of places) {
      if (end - start > 400) continue;
      const known = values.get(name) ?? new Set<string>();
      values.set(name, known.add(text.slice(start, end)));
    }
  }
  return new Map([...values].map(([name, known]) => [name, [...known]]));
}

const knownPaths = new Map<JsonText, readonly string[]>();

/** Paths that the routes of a document speak of; `/` when it has none. */
export function pathsOf(document: JsonText): readonly string[] {
  const known = knownPaths.get(document);
  if (known !== undefined) return known;
  const routes = [...document.text.matchAll(/"(?:exact|prefix|template)":"((?:[^"\\]|\\.)*)"/g)];
  const paths = routes.map(([, path = '']) => path.replaceAll(/\{[^}]*\}/g, 'x1').slice(0, 200));
  const found = paths.length > 0 ? [...new Set(paths)] : ['/'];
  knownPaths.set(document, found);
  return found;
}
