// Runs before anything is installed: plain JavaScript, nothing but Node's own modules.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const oldestNode = [20, 19];

/** What a build step reads and the file that tells when it last ran. */
const builds = [
  {
    script: 'build:filter',
    output: 'build/rekindle.wasm',
    sources: ['filter', 'asconfig.json', 'scripts/build-filter.mjs'],
  },
  {
    script: 'build:control-plane',
    output: 'dist/envoy/demo/main.js',
    sources: ['control-plane', 'envoy', 'scripts', 'tsconfig.json', 'tsconfig.build.json'],
  },
];

/** Installs and builds what is missing or out of date. Ends the process with a message if that fails. */
export function prepare() {
  requireNode();
  if (isOlder('node_modules/.package-lock.json', ['package-lock.json'])) {
    run('installing dependencies', 'npm', ['ci', '--no-audit', '--no-fund']);
  }
  for (const { script, output, sources } of builds) {
    if (isOlder(output, [...sources, 'node_modules/.package-lock.json'])) run(`npm run ${script}`, 'npm', ['run', '--silent', script]);
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  fail(`Node ${oldestNode.join('.')} or newer is needed, this is ${process.versions.node}`);
}

function isOlder(output, sources) {
  const path = join(root, output);
  if (!existsSync(path)) return true;
  const builtAt = statSync(path).mtimeMs;
  return sources.some((source) => newest(join(root, source)) > builtAt);
}

/** Latest change below a path, in epoch ms; folders count too, so that a removed file is noticed. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), stat.mtimeMs);
}

function run(what, command, args) {
  console.log(`> ${what}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) fail(`${command}: ${error.message}`);
  if (status !== 0) fail(`${what} failed`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
