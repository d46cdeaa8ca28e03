import { DocumentReader, isRefused } from '../../contract/documents.ts';
import { PluginConfiguration } from '../../contract/plugin-configuration.ts';
import { policyProblems } from '../../contract/policy-rules.ts';
import { documentsOf, type FileDocument } from './documents.ts';
import type { Finding } from './finding.ts';
import { kindOf } from './kind.ts';
import { policyFindings } from './policies.ts';
import type { Source } from './sources.ts';

/** All that is wrong with a file, by what each of its documents is meant to be. */
export function findingsOf(source: Source): Finding[] {
  const { documents, findings } = documentsOf(source);
  return [...findings, ...documents.flatMap(documentFindings)];
}

function documentFindings(document: FileDocument): Finding[] {
  switch (kindOf(document.value)) {
    case 'plugin-configuration':
      return configurationFindings(document);
    case 'kubernetes':
    case 'envoy':
      return [];
    default:
      return policyFindings(document);
  }
}

const configurationReader = new DocumentReader(PluginConfiguration);

/** What the filter would refuse its configuration for. */
function configurationFindings({ source, value, locate }: FileDocument): Finding[] {
  const read = configurationReader.read(structuredClone(value));
  const problems = isRefused(read)
    ? read.problems
    : read.value.services.flatMap(({ policy }, place) =>
        policy ? policyProblems(policy).map(({ path, reason }) => ({ path: `services[${place}].policy.${path}`, reason })) : [],
      );
  return problems.map(({ path, reason }) => ({ file: source.name, ...locate(path), severity: 'error', path, reason }));
}
