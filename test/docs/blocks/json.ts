import { PROBLEM_KINDS } from '../../../control-plane/errors.ts';
import { isPlugin, pluginProblem } from './plugin.ts';
import { type Json, policyFrom, policyProblems } from './policy.ts';

/** JSON of a page: a plugin configuration or a part of it, a policy or a part of it, or a problem document. */
export function jsonProblem(text: string): string | null {
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch (error) {
    return (error as Error).message;
  }
  if (typeof document['code'] === 'string' && 'status' in document) return problemDocumentProblem(document);
  if (isPlugin(document) && !('mode' in document && 'features' in document)) return pluginProblem(document);
  const policy = policyFrom(document);
  return policy === null
    ? 'is no plugin configuration, policy or problem document, nor a part of one; output stands right after its commands'
    : policyProblems(policy);
}

function problemDocumentProblem({ code, status, title }: Json): string | null {
  const kind = [...PROBLEM_KINDS.values()].find((each) => each.code === code);
  return kind?.status === status && kind?.title === title ? null : `the control plane has no such problem: ${code} ${status} ${title}`;
}
