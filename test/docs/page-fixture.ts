import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Stage } from '../../envoy/demo/stage.ts';

/** What a page's commands and blocks need: `test/docs/pages/<page>.ts` exports one as `fixture` (docs/access.md: `docs-access.ts`). */
export interface PageFixture {
  /**
   * What runs before the first command. `demo` (default): the stage of `npm start`, with Envoy, control plane, shop, its policy and load;
   * `control-plane`: an empty control plane; `none`: the page starts what it needs.
   */
  readonly stack?: 'demo' | 'control-plane' | 'none';
  /** Settings of the control plane. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Further ports that the page names, each mapped to a free one. */
  readonly ports?: readonly number[];
  /** Runs before the first command; what it gives are variables of the shell. */
  readonly prepare?: (stage: Stage | null, folder: string) => Promise<Readonly<Record<string, string>>>;
  /** By section: what runs before its first command, such as breaking the shop. */
  readonly before?: Readonly<Record<string, (stage: Stage | null) => Promise<void>>>;
  /** Blocks and lines of commands that are not looked at: how they start → why. Each must start some block or line of the page. */
  readonly unchecked?: Readonly<Record<string, string>>;
}

export async function fixtureOf(page: string): Promise<PageFixture> {
  const path = join(import.meta.dirname, 'pages', `${page.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase()}.ts`);
  return existsSync(path) ? ((await import(pathToFileURL(path).href)) as { fixture: PageFixture }).fixture : {};
}
