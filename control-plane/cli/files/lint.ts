import { DocumentReader, isRefused } from '../../contract/documents.ts';
import { PluginConfiguration } from '../../contract/plugin-configuration.ts';
import { Policy } from '../../contract/policy.ts';
import { readPolicy } from '../../contract/policy-document.ts';
import { dotted } from '../../contract/problem.ts';
import { type Json, objectAt } from '../../manifest/lint/finding.ts';
import { lintManifests } from '../../manifest/lint/lint.ts';
import { isWasm, lintWasm } from '../../manifest/lint/wasm-config.ts';
import { documentsOf, type FileDocument } from './documents.ts';
import type { Finding } from './finding.ts';
import { kindOf } from './kind.ts';
import { policyFindings } from './policies.ts';
import type { Source } from './sources.ts';

/** All that is wrong with a file, by what each of its documents is meant to be. */
export function findingsOf(source: Source): Finding[] {
  const { documents, findings } = documentsOf(source);
  const manifests = documents.some(({ value }) => kindOf(value) === 'kubernetes') ? manifestFindings(source) : [];
  return [...findings, ...manifests, ...documents.flatMap(documentFindings)];
}

/** What Istio accepts in silence; a text may hold manifests of all kinds. */
function manifestFindings({ name, text }: Source): Finding[] {
  return lintManifests(text).map(({ severity, path, reason, remedy, line, column }) => {
    return { file: name, line, column, severity, path, reason: `${reason}; ${remedy}` };
  });
}

function documentFindings(document: FileDocument): Finding[] {
  switch (kindOf(document.value)) {
    case 'plugin-configuration':
      return configurationFindings(document);
    case 'envoy':
      return wasmFindings(document, document.value, []);
    case 'kubernetes':
      return [];
    case 'unknown':
      return document.source.isNamed ? policyFindings(document) : []; // some other tool's, beside ours
    case 'policy':
      return policyFindings(document);
  }
}

const configurationReader = new DocumentReader(PluginConfiguration);
const policyReader = new DocumentReader(Policy);

/** What the filter would refuse its configuration for. */
function configurationFindings({ source, value, locate }: FileDocument): Finding[] {
  const read = configurationReader.read(structuredClone(value));
  const problems = isRefused(read)
    ? read.problems
    : read.value.services.flatMap(({ service, policy }, place) => {
        const inline = policy && readPolicy(policyReader, policy, service);
        const found = inline && 'problems' in inline ? inline.problems : [];
        return found.map(({ path, reason }) => ({ path: `services[${place}].policy.${path}`, reason }));
      });
  return problems.map(({ path, reason }) => ({ file: source.name, ...locate(path), severity: 'error', path, reason }));
}

/** Envoy 1.40 takes the list of capabilities within `vm_config`, too; only Istio does not know it there. */
function withListBeside(wasm: Json): Json {
  const config = objectAt(wasm, 'config');
  const { capability_restriction_config: list, ...vm } = objectAt(config, 'vm_config');
  return list === undefined ? wasm : { ...wasm, config: { ...config, capability_restriction_config: list, vm_config: vm } };
}

/** The Wasm filters of a configuration of Envoy, wherever they stand. */
function wasmFindings(document: FileDocument, value: unknown, keys: readonly (string | number)[]): Finding[] {
  if (typeof value !== 'object' || value === null) return [];
  const members = value as Readonly<Record<string, unknown>>;
  if (!isWasm(members)) {
    const places = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
    return places.flatMap((key) => wasmFindings(document, members[key], [...keys, key]));
  }
  return lintWasm(withListBeside(members), { keys, isInbound: false, isDiscovered: false }).map(
    ({ severity, keys: at, reason, remedy }) => {
      const path = dotted(at.map(String));
      return { file: document.source.name, ...document.locate(path), severity, path, reason: `${reason}; ${remedy}` };
    },
  );
}
