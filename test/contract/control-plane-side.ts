import { Directive } from '../../control-plane/contract/directive.ts';
import { DocumentReader, isRefused } from '../../control-plane/contract/documents.ts';
import { PluginConfiguration } from '../../control-plane/contract/plugin-configuration.ts';
import { Policy } from '../../control-plane/contract/policy.ts';
import { policyProblems } from '../../control-plane/contract/policy-rules.ts';
import { ReportReply } from '../../control-plane/contract/report.ts';

const policyReader = new DocumentReader(Policy);
const directiveReader = new DocumentReader(Directive);
const configurationReader = new DocumentReader(PluginConfiguration);
const replyReader = new DocumentReader(ReportReply);

/** Messages that the filter receives. */
export const MESSAGES = ['policy', 'directive', 'plugin-configuration', 'report-reply'] as const;
export type Message = (typeof MESSAGES)[number];

/** Paths of what the control plane's schemas, and then its rules, find wrong with a message. */
export function controlPlanePaths(message: Message, input: unknown): string[] {
  const raw = structuredClone(input);
  switch (message) {
    case 'policy': {
      const read = policyReader.read(raw);
      return isRefused(read) ? pathsOf(read.problems) : pathsOf(policyProblems(read.value));
    }
    case 'directive': {
      const read = directiveReader.read(raw);
      if (isRefused(read)) return pathsOf(read.problems);
      return read.value.policy ? pathsOf(policyProblems(read.value.policy), 'policy.') : [];
    }
    case 'plugin-configuration': {
      const read = configurationReader.read(raw);
      if (isRefused(read)) return pathsOf(read.problems);
      return read.value.services.flatMap(({ policy }, index) =>
        policy ? pathsOf(policyProblems(policy), `services[${index}].policy.`) : [],
      );
    }
    case 'report-reply': {
      const read = replyReader.read(raw);
      return isRefused(read) ? pathsOf(read.problems) : [];
    }
  }
}

/** What its rules beyond the schema find wrong with a policy; null if its schema refuses it. */
export function controlPlaneRuleProblems(policy: unknown) {
  const read = policyReader.read(structuredClone(policy));
  return isRefused(read) ? null : policyProblems(read.value);
}

/** Each path once, in order. */
export function pathsOf(problems: readonly { readonly path: string }[], prefix = ''): string[] {
  return [...new Set(problems.map(({ path }) => prefix + path))].sort();
}
