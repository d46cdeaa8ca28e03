import { composeYaml, plainValue, YamlTooMuch } from '../contract/yaml.ts';
import { BodyMalformed } from '../errors.ts';

/** Reads one YAML 1.2 document into plain values. Throws BodyMalformed with line and column. */
export function parseYaml(text: string): unknown {
  try {
    const { documents, flaws } = composeYaml(text);
    if (documents.length > 1) throw new BodyMalformed('it holds more than one document');
    if (flaws[0]) throw new BodyMalformed(`${flaws[0].message} (line ${flaws[0].line}, column ${flaws[0].column})`);
    return documents[0] && plainValue(documents[0]);
  } catch (error) {
    throw error instanceof YamlTooMuch ? new BodyMalformed(error.message) : error;
  }
}
