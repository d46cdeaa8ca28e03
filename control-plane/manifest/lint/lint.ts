import { type Document, isNode, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { dotted } from '../../contract/problem.ts';
import { lintEnvoyFilter } from './envoy-filter.ts';
import { lintExtension } from './extension.ts';
import { error, type Finding, type Json, type Keys } from './finding.ts';

/** A finding with its place in the file. */
export interface LocatedFinding extends Omit<Finding, 'keys'> {
  /** `spec.configPatches[0].patch.operation` */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

const LINTERS: Readonly<Record<string, (document: Json) => Finding[]>> = {
  EnvoyFilter: lintEnvoyFilter,
  WasmPlugin: lintExtension,
  TrafficExtension: lintExtension,
};

/** What Istio would accept in silence, in a YAML text with any number of manifests; other kinds are passed over. */
export function lintManifests(text: string): LocatedFinding[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  if ('empty' in documents) return [];
  return documents.flatMap((document) => {
    const [broken] = document.errors;
    if (broken) {
      const { line, col } = lines.linePos(broken.pos[0]);
      return [{ severity: 'error' as const, path: '', reason: broken.message, remedy: 'correct the YAML', line, column: col }];
    }
    return findingsOf(document).map(({ keys, ...finding }) => ({
      ...finding,
      path: dotted(keys.map(String)),
      ...placeOf(document, keys, lines),
    }));
  });
}

function findingsOf(document: Document): Finding[] {
  let value: unknown;
  try {
    value = document.toJS();
  } catch (problem) {
    return [error([], (problem as Error).message, 'correct the YAML')]; // aliases that grow beyond all bounds
  }
  const kind = (value as Json | null)?.['kind'];
  return typeof kind === 'string' && Object.hasOwn(LINTERS, kind) ? LINTERS[kind]!(value as Json) : [];
}

/** Where the member stands, or the nearest thing around the place where it is missing. */
function placeOf(document: Document, keys: Keys, lines: LineCounter): { readonly line: number; readonly column: number } {
  for (let depth = keys.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(keys.slice(0, depth), true);
    const start = isNode(node) ? (node as Node).range?.[0] : undefined;
    if (start === undefined) continue;
    const { line, col } = lines.linePos(start);
    return { line, column: col };
  }
  return { line: 1, column: 1 };
}
