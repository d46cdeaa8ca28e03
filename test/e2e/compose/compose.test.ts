import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { type Child, startChild } from '../../../envoy/demo/child.ts';
import { startEnvoy } from '../../../envoy/demo/envoy-process.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { startRedis } from '../../../envoy/demo/redis-process.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy, findRedis } from '../../../scripts/servers.ts';
import { composeFile } from '../../compose/compose-file.ts';
import { commandIn, dockerfile, environmentOf, lastOf, lineageOf, stagesOf } from '../../compose/dockerfile.ts';
import { layOut } from './image-tree.ts';

const run = promisify(execFile);
const stages = stagesOf(dockerfile);
const sayOf = (image: string, keyword: string): readonly string[] => commandIn(lastOf(lineageOf(stages, image), keyword));

type Environment = Readonly<Record<string, string>>;

/** Whether the health check of an image, run with this environment, passes. */
async function isHealthy(image: string, cwd: string, environment: Environment, change = (part: string): string => part): Promise<boolean> {
  const [command = '', ...args] = sayOf(image, 'HEALTHCHECK').map(change);
  return run(command, args, { cwd, env: { ...process.env, ...environment } }).then(
    () => true,
    () => false,
  );
}

/** Runs a command in the tree of an image until the test ends. */
async function start(name: string, tree: string, command: readonly string[], env: Environment): Promise<Child> {
  const [program = '', ...args] = command;
  const node = program === 'node' ? [`--import=${pathToFileURL(join(projectRoot, 'envoy/demo/end-with-parent.mjs')).href}`] : [];
  const logFile = join(tree, `../${name}.log`);
  const child = await startChild({ name, command: program, args: [...node, ...args], env, cwd: tree, logFile, node: true });
  onTestFinished(() => child.stop());
  return child;
}

const becomes = (what: string, isSo: () => Promise<boolean>): Promise<true> =>
  waitFor(what, async () => ((await isSo()) ? true : null), 20_000, 100);

test('images and compose file run as they are written, on loopback in place of their network', async () => {
  const root = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const [controlPlane, demo] = [join(root, 'control-plane'), join(root, 'demo')];
  await layOut(stages, 'control-plane', controlPlane);
  await layOut(stages, 'demo', demo);
  const names = ['first', 'second', 'shop', 'fallback', 'shopControl', 'envoy', 'envoyAdmin', 'redis'] as const;
  const port = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()] as const))) as Record<
    (typeof names)[number],
    number
  >;
  const at = (number: number): string => `127.0.0.1:${number}`;
  const { services } = composeFile;

  const redis = await startRedis({ binary: (await findRedis()).path, folder: join(root, 'redis'), port: port.redis });
  onTestFinished(() => redis.stop());
  const environment = (number: number): Environment => ({
    ...environmentOf(lineageOf(stages, 'control-plane')),
    ...services['control-plane-1']!.environment,
    ...{ REDIS_URL: redis.url, REKINDLE_HOST: '127.0.0.1', REKINDLE_PORT: String(number) },
  });
  expect(await isHealthy('control-plane', controlPlane, environment(port.first)), 'nobody listens yet').toBe(false);
  for (const number of [port.first, port.second])
    await start(`control-plane-${number}`, controlPlane, sayOf('control-plane', 'CMD'), environment(number));
  for (const number of [port.first, port.second])
    await becomes('a replica to be healthy', () => isHealthy('control-plane', controlPlane, environment(number)));

  const places = {
    ...{
      LISTEN_ON: '127.0.0.1',
      ENVOY: at(port.envoy),
      ENVOY_ADMIN: at(port.envoyAdmin),
      SHOP: at(port.shop),
      FALLBACK: at(port.fallback),
    },
    ...{ SHOP_CONTROL: at(port.shopControl), CONTROL_PLANES: `${at(port.first)},${at(port.second)}` },
  };
  await start('upstream', demo, services['upstream']!.command!, places);

  const binary = (await findEnvoy()).path;
  const module = join(projectRoot, 'build/rekindle.wasm');
  const named = join(root, 'named.json');
  await writeFile(named, await envoyConfiguration({ MODULE: module }));
  await run(binary, ['--mode', 'validate', '-c', named, '--log-level', 'error']);
  const configuration = await envoyConfiguration({ ...places, MODULE: module });
  const envoy = await startEnvoy({ binary, folder: root, configuration, adminPort: port.envoyAdmin, workers: 2 });
  onTestFinished(() => envoy.stop());
  const here = (part: string): string => part.replace('/9901', `/${port.envoyAdmin}`);
  await becomes('Envoy to be healthy', () => isHealthy('envoy', root, {}, here));

  const load = await start('load', demo, services['load']!.command!, places);
  await becomes('the policy to be in force', async () => (await readFile(load.logFile, 'utf8')).includes('policy of shop is in force'));
  await becomes('both replicas to know it', async () => {
    const answers = await Promise.all([port.first, port.second].map((number) => fetch(`http://${at(number)}/v1/policies/shop`)));
    return answers.every(({ ok }) => ok);
  });
  const page = (): Promise<Response> => fetch(`http://${at(port.envoy)}/catalog/items/1`);
  expect((await page()).headers.get('rekindle')).toBeNull();
  const broken = await fetch(`http://${at(port.shopControl)}/features/catalog`, { method: 'POST', body: '{"mode":"fail"}' });
  expect(broken.status).toBe(200);
  await becomes('a rung to stand in', async () => {
    const { status, headers } = await page();
    return status === 200 && /reason=(open|disabled)/.test(headers.get('rekindle') ?? '');
  });
});

/** What the Dockerfile's own command prints, run where the stage `build` is this project. */
async function envoyConfiguration(environment: Environment): Promise<string> {
  const rest = stages.get('build')?.instructions.find((instruction) => instruction.rest.endsWith('> build/envoy.json'))?.rest ?? '';
  const [command = '', ...args] = rest.replace(/ > .*/, '').split(' ');
  return (await run(command, args, { cwd: projectRoot, env: { ...process.env, ...environment } })).stdout;
}
