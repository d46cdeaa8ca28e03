import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../../../scripts/project-root.ts';
import { policyDraft } from '../fleet/stage.ts';
import { cliStage, newService } from './stage.ts';

const stage = cliStage();
const env = { REKINDLE_URL: 'nonsense' };

describe('lint', () => {
  test('finds nothing wrong with the examples of the project, and passes over files of other tools', async () => {
    const { code, out, err } = await stage.run(['lint', join(projectRoot, 'envoy')], { env });
    expect([out, code]).toEqual(['', 0]);
    expect(err).toMatch(/^\d+ files: 0 errors, 0 warnings\n$/);
  });

  test('what Istio accepts in silence, and a filter of a plain Envoy, each with its place', async () => {
    const manifest = readFileSync(join(projectRoot, 'envoy/istio/envoyfilter-inbound.yaml'), 'utf8');
    const typo = stage.file('typo.yaml', manifest.replace('name: envoy.filters.http.router', 'name: envoy.filters.http.ruoter'));
    const envoy = readFileSync(join(projectRoot, 'envoy/envoy.yaml'), 'utf8');
    const open = stage.file('open.yaml', envoy.replace('failure_policy: FAIL_RELOAD', 'failure_policy: FAIL_OPEN'));
    const { code, out } = await stage.run(['lint', typo, open, '-o', 'json'], { env });
    const findings = JSON.parse(out) as { file: string; line: number; path: string; severity: string }[];
    const line = manifest.split('\n').findIndex((text) => text.includes('name: envoy.filters.http.router')) + 1;
    expect(findings).toContainEqual(expect.objectContaining({ file: 'typo.yaml', severity: 'error', line }));
    expect(findings).toContainEqual(
      expect.objectContaining({ file: 'open.yaml', severity: 'warning', path: expect.stringMatching(/failure_policy$/) }),
    );
    expect(code).toBe(1);
  });
});

describe('files', () => {
  const sound = readFileSync(join(stage.folder, stage.file('sound.yaml', policyDraft('shop', 'catalog'))), 'utf8');

  test('a folder that is hidden is read when it is named, links are followed, hidden folders below are not', async () => {
    for (const folder of ['.policies', '.policies/..data', '.policies/.git']) mkdirSync(join(stage.folder, folder));
    writeFileSync(join(stage.folder, '.policies/..data/shop.yaml'), sound);
    writeFileSync(join(stage.folder, '.policies/.git/broken.yaml'), 'service: [');
    symlinkSync('..data/shop.yaml', join(stage.folder, '.policies/shop.yaml'));
    symlinkSync('gone.yaml', join(stage.folder, '.policies/dangling.yaml'));
    expect(await stage.run(['lint', '.policies'], { env })).toMatchObject({ code: 0, err: '1 file: 0 errors, 0 warnings\n' });
  });

  test.each(['sound.yaml/x', 'loop', 'none.yaml'])('%s is no file: usage, in words', async (path) => {
    if (path === 'loop') symlinkSync('loop', join(stage.folder, 'loop'));
    const { code, err } = await stage.run(['lint', path], { env });
    expect([code, err]).toEqual([2, expect.stringMatching(/^rekindle: \S+ (does not exist|cannot be read: ELOOP.*)\n$/)]);
  });
});

describe('manifest', () => {
  const sound = ['manifest', '--labels', 'app=shop', '--policy', 'shop.yaml', '--namespace', 'demo'];
  stage.file('shop.yaml', { ...policyDraft('shop', 'catalog'), recovery: { scope: 'proxy' } });

  test('is written to the terminal, or with the patch of the workload to files, and lint finds nothing wrong with it', async () => {
    const [text, files] = await Promise.all([stage.run(sound, { env }), stage.run([...sound, '--output-dir', 'out'], { env })]);
    expect(parseAllDocuments(text.out)[0]?.toJS()).toMatchObject({ kind: 'EnvoyFilter', metadata: { namespace: 'demo' } });
    expect(files.out.trim().split('\n')).toEqual(readdirSync(join(stage.folder, 'out')).map((name) => `wrote out/${name}`));
    expect(await stage.run(['lint', 'out', '--strict'], { env })).toMatchObject({ code: 0, out: '' });
  });

  test("takes the module's hash from the module, and the filter's token from a file alone", async () => {
    const module = join(projectRoot, 'build/rekindle.wasm');
    const secret = stage.file('secret', 'the-filters-secret\n');
    const more = ['--kind', 'WasmPlugin', '--context', 'gateway', '--hosts', 'shop=shop.example.com', '--module', module];
    const { code, out } = await stage.run([...sound, ...more, '--filter-token-file', secret], { env });
    expect(code).toBe(0);
    expect(out).toContain('kind: WasmPlugin');
    expect(out).toContain('token: the-filters-secret');
  });

  test.each(['', 'ab', 'no module'])('a module that is %j is refused', async (text) => {
    writeFileSync(join(stage.folder, 'short.wasm'), text);
    const { code, err } = await stage.run([...sound, '--module', 'short.wasm'], { env });
    expect([code, err]).toEqual([2, 'rekindle: short.wasm is no WebAssembly module\n']);
  });

  test('names all that is wrong with its options, as options', async () => {
    const { code, err } = await stage.run(['manifest', '--delivery', 'ecds-oci', '--port', 'x'], { env });
    expect(code).toBe(2);
    expect(err).toContain('--labels: is required');
    expect(err).toContain('--policy or --service: is required');
    expect(err).toContain('--port: must be an integer, got "x"');
  });
});

describe('completion', () => {
  const candidates = async (...words: string[]) =>
    (await stage.run(['__complete', '--', ...words])).out.split('\n').filter((word) => word !== '');

  test('of commands, options, choices, services and features', async () => {
    await newService(stage, 'complete', 'catalog', 'checkout');
    expect(
      await Promise.all([
        candidates('recover', 'p'),
        candidates('features', '--outp'),
        candidates('get', 'pol'),
        candidates('why', 'comp'),
        candidates('override', 'set', 'complete', 'che'),
        candidates('recover', 'start', 'complete', '-f', 'cat'),
        candidates('manifest', '--context', 'out'),
      ]),
    ).toEqual([['pause', 'promote'], ['--output'], ['policies', 'policy'], ['complete'], ['checkout'], ['catalog'], ['outbound']]);
  });

  test('works in bash', async () => {
    const script = (await stage.run(['completion', 'bash'])).out;
    const main = join(projectRoot, 'dist/control-plane/cli/main.js');
    const test = `rekindle() { '${process.execPath}' '${main}' "$@"; }; ${script}
COMP_WORDS=(rekindle recover re); COMP_CWORD=2; _rekindle; echo "\${COMPREPLY[@]}"
COMP_WORDS=(rekindle features ''); COMP_CWORD=2; _rekindle; echo "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', test], {
      env: { PATH: process.env['PATH'], REKINDLE_URL: stage.url },
    });
    expect(stdout).toBe('resume\ncomplete\n');
  });

  test.for(['zsh', 'fish'])('has a script for %s', async (shell) => {
    expect((await stage.run(['completion', shell])).out).toContain('rekindle __complete');
  });
});

test('schema prints the schema of policies that the project publishes', async () => {
  const { out } = await stage.run(['schema'], { env });
  expect(out).toBe(readFileSync(join(projectRoot, 'docs/policy.schema.json'), 'utf8'));
});

test('help names each command and the exit codes, and no secret of the environment', async () => {
  const { code, out } = await stage.run(['--help'], { env: { REKINDLE_TOKEN: 'geheim' } });
  expect(code).toBe(0);
  for (const name of ['status', 'features', 'why', 'recover', 'override', 'lint', 'apply', 'completion'])
    expect(out).toContain(`\n  ${name} `);
  expect(out).toContain('Exit codes: 0 fine, 1 refused, 2 usage, 3 unreachable');
  expect(out).not.toMatch(/geheim|__complete/);
});
