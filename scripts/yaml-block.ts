/** Replaces what stands under the only `key:` of a YAML text by these lines, one step further in. The rest stays to the letter. */
export function replaceBlock(text: string, key: string, block: readonly string[]): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.trimStart().startsWith(`${key}:`));
  if (at < 0) throw new Error(`no ${key} in the YAML text`);
  const margin = indentOf(lines[at] ?? '');
  let end = at + 1;
  while (end < lines.length && lines[end] !== '' && indentOf(lines[end] ?? '') > margin) end++;
  const body = block.map((line) => `${' '.repeat(margin + 2)}${line}`);
  return [...lines.slice(0, at), `${' '.repeat(margin)}${key}:`, ...body, ...lines.slice(end)].join('\n');
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
