import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Child, startChild, tailOf } from './child.ts';
import { waitFor } from './wait.ts';

/** A Valkey or Redis to start. */
export interface RedisRun {
  readonly binary: string;
  /** Takes configuration, data and log. A run in the folder of an earlier one has its data. */
  readonly folder: string;
  readonly port: number;
  /** Lines of its configuration beside the usual ones, or in place of them: `{ maxmemory: '4mb' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Without the data of an earlier run. */
  readonly empty?: boolean;
}

export interface RedisProcess extends Child {
  readonly port: number;
  /** For REDIS_URL; with the password, where the settings have `requirepass`. */
  readonly url: string;
}

const DATA = ['appendonlydir', 'dump.rdb'];

/** As in production: every write is on disk within a second, and nothing is evicted. */
const usual = { appendonly: 'yes', appendfsync: 'everysec', save: '""', 'maxmemory-policy': 'noeviction' };

/** Starts Valkey or Redis on loopback and waits until it answers; throws with the end of its log when it gave up instead. */
export async function startRedis({ binary, folder, port, settings = {}, empty = false }: RedisRun): Promise<RedisProcess> {
  await mkdir(folder, { recursive: true });
  if (empty) for (const name of DATA) await rm(join(folder, name), { recursive: true, force: true });
  const lines: Readonly<Record<string, string>> = { port: String(port), bind: '127.0.0.1', dir: folder, ...usual, ...settings };
  const file = join(folder, 'redis.conf');
  await writeFile(
    file,
    Object.entries(lines)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  );
  const child = await startChild({ name: 'redis', command: binary, args: [file], logFile: join(folder, 'redis.log') });
  await answers(child, port);
  const password = lines['requirepass'] === undefined ? '' : `:${encodeURIComponent(lines['requirepass'])}@`;
  return { ...child, port, url: `redis://${password}127.0.0.1:${port}` };
}

async function answers(child: Child, port: number): Promise<void> {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const answer = await waitFor(
    'Valkey to answer',
    async () => (ended ? 'ended' : (await ping(port)).startsWith('-LOADING') ? null : 'up'),
    20_000,
  );
  if (answer === 'ended') throw new Error(`Valkey ended at its start:\n${tailOf(child.logFile)}`);
}

/** What it says to a PING, be it a refusal for want of a password. */
function ping(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(1000, () => socket.destroy(new Error('no answer within 1000 ms')));
    socket.once('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
