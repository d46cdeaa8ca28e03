import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Line of the page on which the block's text starts, from 1. */
  readonly line: number;
  /** First word after the fence; empty: none. */
  readonly kind: string;
  readonly text: string;
  /** Heading under which it stands, as a person reads it. */
  readonly section: string;
  /** Whether nothing but empty lines stands between it and the block before. */
  readonly follows: boolean;
}

export interface Page {
  /** From the root of the project, such as `docs/access.md`. */
  readonly path: string;
  readonly blocks: readonly Block[];
  /** Anchors that a link can name. */
  readonly anchors: ReadonlySet<string>;
  /** Targets of its links, outside of code. */
  readonly links: readonly string[];
  /** Texts in single backticks. */
  readonly code: readonly string[];
  /** What is neither a block nor code. */
  readonly prose: string;
}

/** The front door and every page of docs/; decisions are history and only have their links checked. */
export const pagePaths: readonly string[] = [
  'README.md',
  ...readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path.replaceAll('\\', '/')}`)
    .sort(),
];

const pages = new Map<string, Page>();

export function readPage(path: string): Page {
  const known = pages.get(path);
  if (known !== undefined) return known;
  const page = parsePage(path, readFileSync(join(projectRoot, path), 'utf8'));
  pages.set(path, page);
  return page;
}

export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const anchors = new Set<string>();
  const rest: string[] = [];
  let section = '';
  let follows = false;
  let open: { fence: string; kind: string; line: number; indent: number; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent = '', fence, kind = ''] = /^( *)(`{3,})([^\s`]*)/.exec(line) ?? [];
    if (open !== null) {
      if (fence === open.fence && line.trim() === fence) {
        blocks.push({ page: path, line: open.line, kind: open.kind, text: open.lines.join('\n'), section, follows });
        follows = true;
        open = null;
      } else open.lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))));
    } else if (fence !== undefined) open = { fence, kind, line: index + 2, indent: indent.length, lines: [] };
    else {
      if (line.trim() !== '') follows = false;
      const heading = /^#{1,6} +(.+?) *$/.exec(line)?.[1];
      if (heading !== undefined) {
        section = heading;
        anchors.add(freeAnchor(anchors, anchorOf(heading)));
      }
      for (const [, id = ''] of line.matchAll(/<a (?:id|name)="([^"]+)">/g)) anchors.add(id);
      rest.push(line);
    }
  }
  if (open !== null) throw new Error(`${path}:${open.line}: a block that does not end`);
  const body = rest.join('\n');
  const code = [...body.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, inner]) => inner!);
  const prose = body.replace(/(?<!`)`([^`\n]+)`(?!`)/g, ' ');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return { path, blocks, anchors, links, code, prose };
}

/** Whether a block shows what the commands right before it print. */
export function isOutput(block: Block, before: Block | undefined): boolean {
  return before?.kind === 'sh' && block.follows && ['text', 'json', 'http', 'yaml'].includes(block.kind) && namedFile(block) === null;
}

/** The file that a block is to be saved as: its first line is a comment that says so, `# shop/policy.yaml`. */
export function namedFile({ kind, text }: Block): string | null {
  return kind === 'yaml' ? (/^# ([\w./-]+\.ya?ml)$/m.exec(text.split('\n')[0] ?? '')?.[1] ?? null) : null;
}

/** As GitHub makes them: lower case, without punctuation, blanks to hyphens. */
function anchorOf(heading: string): string {
  const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
  return plain
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

function freeAnchor(taken: ReadonlySet<string>, anchor: string): string {
  for (let n = 0; ; n++) {
    const candidate = n === 0 ? anchor : `${anchor}-${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}
