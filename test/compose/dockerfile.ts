import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';

export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

/** One image of the Dockerfile, or a step towards one. */
export interface ImageStage {
  readonly name: string;
  /** Another stage, or an image with the tag that the arguments give. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** null: from the project itself. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

export const dockerfile = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8');

/** The stages by name, in order. As much of the format as the project's own file uses: one line per instruction. */
export function stagesOf(text: string): ReadonlyMap<string, ImageStage> {
  const tags = new Map([...text.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]));
  const stages = new Map<string, { name: string; from: string; instructions: Instruction[] }>();
  for (const line of text.split('\n')) {
    const [, keyword = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    const [, image = '', name = ''] = keyword === 'FROM' ? (/^(\S+) AS (\S+)$/.exec(rest) ?? []) : [];
    if (name !== '') stages.set(name, { name, from: image.replace(/\$\{(\w+)\}/, (_, tag) => tags.get(tag) ?? ''), instructions: [] });
    else if (keyword !== '') [...stages.values()].at(-1)?.instructions.push({ keyword, rest });
  }
  return stages;
}

/** What the stage that it starts from says, then its own: in the image the last word holds. */
export function lineageOf(stages: ReadonlyMap<string, ImageStage>, name: string): readonly Instruction[] {
  const stage = stages.get(name);
  if (stage === undefined) return [];
  return [...lineageOf(stages, stage.from), ...stage.instructions];
}

/** What the last instruction of this kind says; null: none does. */
export function lastOf(instructions: readonly Instruction[], keyword: string): string | null {
  return instructions.findLast((instruction) => instruction.keyword === keyword)?.rest ?? null;
}

export function copiesOf(instructions: readonly Instruction[]): Copy[] {
  return instructions
    .filter(({ keyword }) => keyword === 'COPY')
    .map(({ rest }) => {
      const [, from = null, paths = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(rest) ?? [];
      const words = paths.split(' ');
      return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' };
    });
}

/** The command of CMD, or of a health check, as it is run; empty: none. */
export function commandIn(rest: string | null): readonly string[] {
  const list = /(\[.*\])$/.exec(rest ?? '')?.[1];
  return list === undefined ? [] : (JSON.parse(list) as string[]);
}

/** Variables that the image sets. */
export function environmentOf(instructions: readonly Instruction[]): Readonly<Record<string, string>> {
  const words = instructions.filter(({ keyword }) => keyword === 'ENV').flatMap(({ rest }) => rest.split(' '));
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}
