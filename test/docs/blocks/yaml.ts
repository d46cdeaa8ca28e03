import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readTokenFile } from '../../../control-plane/access/token-file.ts';
import { openCheck } from '../../envoy/kubernetes/schema-check.ts';
import { envoyProblem, isEnvoy } from './envoy.ts';
import { isPlugin, pluginProblem } from './plugin.ts';
import { type Json, policyFrom, policyProblems } from './policy.ts';
import { rulesProblem } from './promql.ts';

/** A kind of YAML document that pages show, told by what it holds. The first that fits is held to its check. */
interface Kind {
  readonly fits: (document: Json) => boolean;
  readonly problem: (document: Json) => Promise<string | null> | string | null;
}

const KINDS: readonly Kind[] = [
  { fits: (document) => 'apiVersion' in document && 'kind' in document, problem: kubernetesProblem },
  { fits: ({ tokens }) => Array.isArray(tokens), problem: tokensProblem },
  { fits: ({ groups }) => Array.isArray(groups), problem: rulesProblem },
  { fits: (document) => 'scrape_configs' in document || 'rule_files' in document, problem: () => null },
  { fits: isEnvoy, problem: envoyProblem },
  { fits: (document) => policyFrom(document) !== null, problem: (document) => policyProblems(policyFrom(document)!) },
  { fits: isPlugin, problem: pluginProblem },
];

/** What whoever reads this YAML would refuse it for; null: nothing. */
export async function yamlProblem(text: string): Promise<string | null> {
  for (const parsed of parseAllDocuments(text)) {
    if (parsed.errors.length > 0) return parsed.errors[0]!.message;
    const document = parsed.toJS() as Json;
    const kind = KINDS.find(({ fits }) => fits(document));
    if (kind === undefined)
      return 'is of no kind that the test knows: policy, plugin or Envoy configuration, tokens, rules, Kubernetes; see test/docs/README.md';
    const problem = await kind.problem(document);
    if (problem !== null) return problem;
  }
  return null;
}

function tokensProblem(document: Json): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-docs-tokens-'));
  const file = join(folder, 'tokens.json');
  writeFileSync(file, JSON.stringify(document));
  const read = readTokenFile(file);
  rmSync(folder, { recursive: true });
  return 'problems' in read ? read.problems.join('; ') : null;
}

/** Against the schemas of Kubernetes, Istio and the Prometheus operator that the manifests of envoy/ are held to. */
async function kubernetesProblem(document: Json): Promise<string | null> {
  if (document['kind'] === 'Kustomization') {
    const unknown = Object.keys(document).filter((key) => !KUSTOMIZATION.has(key));
    return unknown.length === 0 ? null : `a Kustomization has no ${unknown.join(', ')}`;
  }
  const check = await openCheck();
  const problems = check(document as unknown as Parameters<typeof check>[0]);
  return problems.length === 0 ? null : problems.join('; ');
}

const KUSTOMIZATION = new Set(
  'apiVersion kind resources components namespace namePrefix nameSuffix labels images patches configMapGenerator secretGenerator generatorOptions replicas'.split(
    ' ',
  ),
);
