/** Whether an output is as a page shows it; null: it is. `…` in the page stands for anything. */
export function difference(kind: string, shown: string, output: string): string | null {
  if (kind === 'json') {
    const document = parsed(output);
    return document === undefined ? `is no JSON: ${output.slice(0, 2000)}` : jsonDifference(JSON.parse(shown), document, '');
  }
  return linesDifference(shown, output, kind === 'http');
}

/** Each line that is shown comes, in order but for headers, which have none; others may stand between them. */
function linesDifference(shown: string, output: string, isUnordered: boolean): string | null {
  const lines = output.split('\n').map(plain);
  let from = 0;
  for (const line of shown.split('\n').map(plain)) {
    if (line === '' || line === '…') continue;
    const pattern = new RegExp(`^${line.split('…').map(escaped).join('.*')}$`);
    const found = lines.findIndex((candidate, index) => (isUnordered || index >= from) && pattern.test(candidate));
    if (found < 0) return `no line \`${line}\`${from > 0 ? ` after \`${lines[from - 1]}\`` : ''} in:\n${output.slice(0, 4000)}`;
    from = found + 1;
  }
  return null;
}

function jsonDifference(shown: unknown, found: unknown, path: string): string | null {
  if (typeof shown === 'string' && shown.includes('…')) {
    const text = typeof found === 'string' ? found : JSON.stringify(found);
    return new RegExp(`^${shown.split('…').map(escaped).join('[^]*')}$`).test(text ?? '')
      ? null
      : `${path}: is ${text}, the page shows ${shown}`;
  }
  if (typeof shown !== 'object' || shown === null)
    return shown === found ? null : `${path}: is ${JSON.stringify(found)}, the page shows ${JSON.stringify(shown)}`;
  if (typeof found !== 'object' || found === null) return `${path}: is ${JSON.stringify(found)}`;
  for (const [key, value] of Object.entries(shown)) {
    const problem = jsonDifference(value, (found as Record<string, unknown>)[key], `${path}/${key}`);
    if (problem !== null) return problem;
  }
  return null;
}

function parsed(output: string): unknown {
  try {
    return JSON.parse(output.slice(Math.max(0, output.search(/[[{]/))));
  } catch {
    return undefined;
  }
}

const plain = (line: string): string => line.replace(/\s+/g, ' ').trim();
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
