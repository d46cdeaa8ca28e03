import { composeYaml, plainValue, YamlTooMuch } from '../../contract/yaml.ts';
import type { Finding } from './finding.ts';
import { keysOf, type Position, positionOf } from './position.ts';
import type { Source } from './sources.ts';

/** Configurations of Envoy go deeper than policies, whose schema bounds them anyway. */
const MAX_DEPTH = 60;

/** One document of a file, which knows where its members are. */
export interface FileDocument {
  readonly source: Source;
  readonly value: unknown;
  readonly locate: (path: string) => Position;
}

/** The documents of a file, or what keeps it from being read. */
export function documentsOf(source: Source): { readonly documents: readonly FileDocument[]; readonly findings: readonly Finding[] } {
  const fault = (message: string, { line, column }: Position): Finding => {
    return { file: source.name, line, column, severity: 'error', path: '', reason: message };
  };
  try {
    const { documents, lines, flaws } = composeYaml(source.text);
    if (flaws.length > 0) return { documents: [], findings: flaws.map((flaw) => fault(flaw.message, flaw)) };
    const filled = documents.filter(({ contents }) => contents !== null);
    const read = filled.map((document) => ({
      source,
      value: plainValue(document, MAX_DEPTH),
      locate: (path: string) => positionOf(document, lines, keysOf(path)),
    }));
    return { documents: read, findings: read.length === 0 ? [fault('holds no document', { line: 1, column: 1 })] : [] };
  } catch (error) {
    if (!(error instanceof YamlTooMuch)) throw error;
    return { documents: [], findings: [fault(error.message, { line: 1, column: 1 })] };
  }
}
