import { readFileSync } from 'node:fs';
import { DocumentReader, isRefused } from '../contract/documents.ts';
import { TokenFile } from '../contract/rest/tokens.ts';
import { parseYaml } from '../http/yaml-body.ts';
import { type Token, tokenProblems } from './access.ts';
import { hashOf, idOf } from './secret.ts';

type Given = TokenFile['tokens'][number];

/** Reads the file of tokens (YAML or JSON), or names all that is wrong with it. No message tells a secret. */
export function readTokenFile(path: string): { readonly tokens: readonly Token[] } | { readonly problems: readonly string[] } {
  const told = (reason: string) => `REKINDLE_TOKENS_FILE ${path}: ${reason}`;
  let raw: unknown;
  try {
    raw = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    return { problems: [told(errorText(error))] };
  }
  const read = new DocumentReader(TokenFile).read(raw);
  if (isRefused(read))
    return { problems: read.problems.map((problem) => told(`${withoutSecret(problem.path)}: ${withoutValue(problem.reason)}`)) };
  const problems = problemsOf(read.value.tokens);
  return problems.length > 0 ? { problems: problems.map(told) } : { tokens: read.value.tokens.map(tokenOf) };
}

function problemsOf(tokens: readonly Given[]): string[] {
  const names = new Set<string>();
  const hashes = new Set<string>();
  return tokens.flatMap((given, index) => {
    const problems = tokenProblems({ ...given, service: given.service });
    const { name, token, sha256 } = given;
    if ((token === undefined) === (sha256 === undefined)) problems.push({ path: '', reason: 'must have exactly one of token, sha256' });
    const hash = hashFor(given);
    if (names.size === names.add(name).size) problems.push({ path: 'name', reason: `${name} is there twice` });
    if (hashes.size === hashes.add(hash).size) problems.push({ path: '', reason: 'has the same secret as another one' });
    return problems.map(({ path, reason }) => `tokens[${index}]${path === '' ? '' : `.${path}`}: ${reason}`);
  });
}

function tokenOf(given: Given): Token {
  const sha256 = hashFor(given);
  const { name, scope, service = null } = given;
  return { id: idOf(sha256), name, scope, service, sha256, createdBy: null, createdAtMs: null };
}

const hashFor = ({ token, sha256 }: Given): string => sha256 ?? hashOf(token ?? '');

/** Reasons end with what was found, which may be a secret that stands in the wrong place. */
const withoutValue = (reason: string): string => reason.replace(/, got .*$/s, '');

/** A secret that stands where a key belongs; keys of ours and their places are shorter. */
const withoutSecret = (path: string): string => path.replace(/[\w~+/=-]{32,}/g, '[redacted]');

/** Parsers quote the text around a fault. */
function errorText(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EISDIR') return `cannot be read (${code})`;
  return 'is neither YAML nor JSON';
}
