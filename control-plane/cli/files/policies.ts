import { DocumentReader } from '../../contract/documents.ts';
import { Policy } from '../../contract/policy.ts';
import { readPolicy } from '../../contract/policy-document.ts';
import { refused, usage } from '../failure.ts';
import { documentsOf, type FileDocument } from './documents.ts';
import { byPlace, type Finding, lineOf } from './finding.ts';
import { kindOf } from './kind.ts';
import { readSources } from './sources.ts';

/** A sound policy of a file. */
export interface PolicyFile {
  readonly file: string;
  readonly line: number;
  /** As it is written, without the defaults that were left out. */
  readonly written: Policy;
}

const reader = new DocumentReader(Policy);

/** All that is wrong with a policy, by the validation of the control plane. */
export function policyFindings({ source, value, locate }: FileDocument): Finding[] {
  const read = readPolicy(reader, structuredClone(value), null);
  if (!('problems' in read)) return [];
  return read.problems.map(({ path, reason }) => ({ file: source.name, ...locate(path), severity: 'error', path, reason }));
}

/** The policies of files and folders. Refuses unless all of them are sound, so that none is sent before all can be. */
export function readPolicyFiles(paths: readonly string[], note: (line: string) => void): PolicyFile[] {
  const findings: Finding[] = [];
  const policies: PolicyFile[] = [];
  for (const source of readSources(paths)) {
    const { documents, findings: faults } = documentsOf(source);
    findings.push(...faults);
    for (const document of documents) {
      const { line } = document.locate('');
      if (kindOf(document.value) === 'policy' || (source.isNamed && kindOf(document.value) === 'unknown')) {
        findings.push(...policyFindings(document));
        policies.push({ file: source.name, line, written: document.value as Policy });
      } else if (source.isNamed) throw usage(`${source.name}:${line} is not a policy but ${NAMES[kindOf(document.value)]}`);
      else note(`${source.name}:${line} is left out: ${NAMES[kindOf(document.value)]}`);
    }
  }
  if (findings.length > 0) throw refused('nothing was sent: the files have problems', findings.sort(byPlace).map(lineOf));
  if (policies.length === 0) throw usage('there is no policy in these files');
  requireOneEach(policies);
  return policies;
}

const NAMES = {
  policy: 'a policy',
  'plugin-configuration': 'the configuration of the filter, which goes into Envoy',
  kubernetes: 'a manifest of Kubernetes, for kubectl',
  envoy: 'a configuration of Envoy',
  unknown: 'none that is known here',
} as const;

function requireOneEach(policies: readonly PolicyFile[]): void {
  const seen = new Map<string, PolicyFile>();
  for (const policy of policies) {
    const first = seen.get(policy.written.service);
    if (first) {
      throw refused(`nothing was sent: the policy of ${policy.written.service} is there twice`, [
        `${first.file}:${first.line}`,
        `${policy.file}:${policy.line}`,
      ]);
    }
    seen.set(policy.written.service, policy);
  }
}
