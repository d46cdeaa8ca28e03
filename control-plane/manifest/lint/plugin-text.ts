import { DocumentReader, isRefused } from '../../contract/documents.ts';
import { PluginConfiguration } from '../../contract/plugin-configuration.ts';
import { Policy } from '../../contract/policy.ts';
import { readPolicy } from '../../contract/policy-document.ts';
import { clusterProblems } from '../cluster-names.ts';
import { error, type Finding, type Keys, listAt, objectAt, warning } from './finding.ts';

const configurationReader = new DocumentReader(PluginConfiguration);
const policyReader = new DocumentReader(Policy);

/** What is wrong with the JSON that the filter reads. */
export function lintPluginText(text: string, keys: Keys, isInbound: boolean): Finding[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (problem) {
    return [error(keys, `is not JSON: ${(problem as Error).message}`, 'the module refuses it, and Envoy the listener')];
  }
  return lintPlugin(value, keys, isInbound);
}

/** What is wrong with the plugin configuration, wherever it is written. */
export function lintPlugin(value: unknown, keys: Keys, isInbound: boolean): Finding[] {
  const refused = 'correct it: the module refuses the configuration, and Envoy the listener';
  const read = configurationReader.read(structuredClone(value));
  if (isRefused(read)) return read.problems.map(({ path, reason }) => error(keys, `${path}: ${reason}`, refused));
  const configuration = read.value;
  return configuration.services.flatMap(({ service, policy }, index): Finding[] => {
    const path = `services[${index}].policy`;
    const written = objectAt(listAt(value, 'services')[index], 'policy');
    if (policy === undefined) {
      return [
        warning(keys, `${path}: until a directive comes, the default breaker over all requests is all there is`, 'put the policy inline'),
      ];
    }
    const inline = readPolicy(policyReader, structuredClone(written), service);
    const problems = 'problems' in inline ? inline.problems : clusterProblems(inline.value, configuration);
    const findings = problems.map((problem) => error(keys, `${path}.${problem.path}: ${problem.reason}`, refused));
    if (isInbound && policy.recovery.scope !== 'proxy') findings.push(warning(keys, `${path}.recovery.scope: ${SCOPE}`, 'set proxy'));
    return findings;
  });
}

const SCOPE = 'on the inbound side each proxy has an upstream of its own, which the failures of others say nothing about';
