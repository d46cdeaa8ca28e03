import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../scripts/project-root.ts';

const run = promisify(execFile);
const cache = join(projectRoot, 'build', 'test');

/** A change of one source file of the filter: `find` stands there exactly once. `more` is put at the end of the file. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly by: string;
  readonly more?: string;
}

/** A mistake as it happens, for the fuzzer to find: only a document that is well-formed but for one doubled entry gets there. */
const MISTAKE: Edit = {
  file: 'wire/directive.ts',
  find: 'flag.expiresInMs = reader.integer(Key.ExpiresInMs, -1);',
  by: 'if (flags.length > 0 && flags[0].feature == flag.feature) throw new Error("planted");',
};

const HOLDS = `
function holds(bytes: Uint8Array, word: string): bool {
  const wanted = Uint8Array.wrap(String.UTF8.encode(word));
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    let same = 0;
    while (same < wanted.length && bytes[at + same] == wanted[same]) same++;
    if (same == wanted.length) return true;
  }
  return false;
}
`;

/** Text that kills whoever reads a document or a stored answer that holds it. */
export const POISON = 'trap-the-reader';
/** Request header that kills the VM which serves the request. */
export const TRAP_HEADER = 'x-rekindle-trap';

/** Traps on demand, to see on a real Envoy what one costs. They are in no module but a test's. */
const ON_DEMAND: Readonly<Record<string, Edit>> = {
  'a request': {
    file: 'abi/callbacks.ts',
    find: 'const root = rootOf(roots.get(id));',
    by: `if (hasHeader(HeaderMap.Request, utf8("${TRAP_HEADER}"))) unreachable();\n  const root = rootOf(roots.get(id));`,
    more: 'import { HeaderMap } from "./enums";\nimport { hasHeader, utf8 } from "./headers";\n',
  },
  'a document': {
    file: 'wire/message.ts',
    find: 'problems: Problems): Reader | null {',
    by: `problems: Problems): Reader | null {\n  if (holds(bytes, "${POISON}")) unreachable();`,
    more: HOLDS,
  },
  'a stored answer': {
    file: 'proxy/cache-blob.ts',
    find: 'keyLength: i32): bool {',
    by: `keyLength: i32): bool {\n    if (holds(this.bytes, "${POISON}")) unreachable();`,
    more: HOLDS,
  },
};

/** Compiles the filter with these changes, quickly rather than small; a build of the same sources is used again. Gives its path. */
async function buildEdited(name: string, edits: readonly Edit[]): Promise<string> {
  const path = join(cache, `${name}.${hashOf(edits)}.wasm`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, `${name}-`));
  try {
    cpSync(join(projectRoot, 'filter'), join(folder, 'filter'), { recursive: true });
    for (const edit of edits) apply(edit, join(folder, 'filter', edit.file));
    const compiler = join(projectRoot, 'node_modules/assemblyscript/bin/asc.js');
    const options = [
      '--config',
      'none',
      '--runtime',
      'minimal',
      '--exportStart',
      '_initialize',
      '--use',
      'abort=filter/abi/abort/abort',
      '-O1',
    ];
    await run(process.execPath, [compiler, 'filter/index.ts', '--outFile', 'edited.wasm', ...options], { cwd: folder });
    renameSync(join(folder, 'edited.wasm'), path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}

/** The filter with a mistake. */
export const buildPlanted = (): Promise<string> => buildEdited('planted', [MISTAKE]);

/** The filter that traps on demand. */
export const buildTrapping = (): Promise<string> => buildEdited('trapping', Object.values(ON_DEMAND));

function apply({ file, find, by, more = '' }: Edit, path: string): void {
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2)
    throw new Error(`filter/${file} has ${parts.length - 1} times "${find}": the edit of this test build wants it once`);
  writeFileSync(path, parts.join(by) + more);
}

function hashOf(edits: readonly Edit[]): string {
  const hash = createHash('sha256').update(JSON.stringify(edits));
  const folder = join(projectRoot, 'filter');
  for (const file of (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts')).sort()) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(folder, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}
