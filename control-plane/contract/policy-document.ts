import { type DocumentReader, isRefused } from './documents.ts';
import { LIMITS } from './limits.ts';
import type { Policy } from './policy.ts';
import { policyProblems } from './policy-rules.ts';
import type { Problem } from './problem.ts';

/** Bytes that a directive may need beside its policy: names, and a flag for each feature. */
const directiveBytes = (features: number) => 512 + features * 256;

/**
 * Reads a policy, with all that is wrong with it at once: schema, rules beyond the schema, the service it is for (null: any), and whether a
 * directive can carry it once its defaults are filled in.
 */
export function readPolicy(
  reader: DocumentReader<typeof Policy>,
  raw: unknown,
  service: string | null,
): { readonly value: Policy } | { readonly problems: readonly Problem[] } {
  const read = reader.read(raw);
  if (isRefused(read)) return { problems: [...read.problems, ...rulesOfTheRest(reader, raw, read.problems)] };
  const problems = [
    ...policyProblems(read.value),
    ...reservedProblems(read.value),
    ...renameProblems(read.value),
    ...serviceProblems(read.value, service),
    ...sizeProblems(read.value),
  ];
  return problems.length > 0 ? { problems } : read;
}

function rulesOfTheRest(
  reader: DocumentReader<typeof Policy>,
  raw: unknown,
  problems: Parameters<typeof reader.salvage>[1],
): readonly Problem[] {
  const rest = reader.salvage(raw, problems);
  if (!rest) return [];
  return policyProblems(rest).filter(({ path }) => !problems.some((problem) => path.startsWith(problem.path)));
}

/** The one name of the alphabet that every JavaScript object answers to: records of features are looked up by name. */
const RESERVED = 'constructor';

function reservedProblems(policy: Policy): Problem[] {
  const reason = `must not be ${RESERVED}, a reserved word`;
  const named = policy.features.flatMap(({ name }, i) => (name === RESERVED ? [{ path: `features[${i}].name`, reason }] : []));
  return policy.service === RESERVED ? [{ path: 'service', reason }, ...named] : named;
}

/** A feature can take over the state of one that is gone, and of which nobody else does (R15). */
function renameProblems({ features }: Policy): Problem[] {
  const names = new Set(features.map(({ name }) => name));
  const firsts = new Map<string, number>();
  return features.flatMap(({ renamedFrom }, index) => {
    if (renamedFrom === undefined) return [];
    const path = `features[${index}].renamedFrom`;
    if (names.has(renamedFrom)) return [{ path, reason: `must not be the name of a feature of this policy: ${renamedFrom}` }];
    const first = firsts.get(renamedFrom);
    if (first === undefined) firsts.set(renamedFrom, index);
    return first === undefined ? [] : [{ path, reason: `is renamedFrom of features[${first}] too: ${renamedFrom}` }];
  });
}

function serviceProblems(policy: Policy, service: string | null): Problem[] {
  if (service === null || policy.service === service) return [];
  return [{ path: 'service', reason: `must be ${service}, the service that is addressed, got ${JSON.stringify(policy.service)}` }];
}

function sizeProblems(policy: Policy): Problem[] {
  const bytes = Buffer.byteLength(JSON.stringify(policy));
  const limit = LIMITS.documentBytes - directiveBytes(policy.features.length);
  if (bytes <= limit) return [];
  return [{ path: '', reason: `must take at most ${limit} bytes with its defaults filled in, takes ${bytes}` }];
}
