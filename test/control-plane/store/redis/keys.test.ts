import { readdirSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { Store } from '../../../../control-plane/store/store.ts';
import { commitOf, copyOf, entryOf, recoveryOf, stateOf } from '../samples.ts';
import { databases, openClient, openStore } from './server.ts';

const newDatabase = databases();
const FOLDER = new URL('../../../../control-plane/store/redis/', import.meta.url);

let scripts: number;
beforeAll(() => {
  scripts = readdirSync(FOLDER).filter((file) => /-\d\.lua$/.test(file)).length;
});

/** Every verb that changes something, at least once. */
async function useAll(store: Store): Promise<void> {
  const keep = { audit: [entryOf('a'), entryOf('b'), entryOf('c')], ended: [recoveryOf('shop', 'r1')] };
  const fence = (await store.lead('one', 5000))!;
  await store.announce(fence, 'tick');
  for (let version = 1; version <= 4; version++) await store.commit(commitOf(version - 1, stateOf('shop', { version }), keep));
  await store.load('shop');
  await store.putToken({ id: 't', name: 'n', scope: 'read', service: null, sha256: 'x', createdAtMs: 1, createdBy: 'y' }, entryOf('token'));
  await store.removeToken('t', entryOf('token'));
  await store.putCopy('shop', 'k', copyOf(10), 1000);
  await store.renew([stateOf('shop', { version: 9 }), stateOf('other')], 1000);
  await store.lead('one', 5000);
  await store.commit(commitOf(0, stateOf('third')));
  await store.renew([], 1000);
}

/** What the server did: commands of clients, and under each script's run those of the script. */
async function recorded(url: URL, use: () => Promise<void>): Promise<{ readonly command: string[]; readonly byScript: boolean }[]> {
  const monitor = await openClient(url).monitor();
  const lines: { command: string[]; byScript: boolean }[] = [];
  monitor.on('monitor', (_, command: string[], source: string) => lines.push({ command, byScript: source.includes('lua') }));
  await use();
  await openClient(url).ping('the end');
  await expect.poll(() => lines.some(({ command }) => command[1] === 'the end')).toBe(true);
  monitor.disconnect();
  return lines;
}

const tagOf = (key: string) => /\{(.*?)\}/.exec(key)?.[1];

test('what one script touches lies in one slot, so that a cluster could hold it', async () => {
  const url = newDatabase();
  const store = await openStore(url, { keep: { auditEntries: 3, auditMs: 1e12, endedRecoveries: 5, policyVersions: 5 } });
  const lines = await recorded(url, async () => {
    await useAll(store);
    await store.close();
  });
  const runs = new Set<string>();
  let tags = new Set<string | undefined>();
  let touched = 0;
  for (const { command, byScript } of lines) {
    const [name = '', script = '', count = '0', ...rest] = command;
    if (!byScript && /^eval(sha)?$/i.test(name)) {
      if (name.toLowerCase() === 'eval') runs.add(script);
      tags = new Set(rest.slice(0, Number(count)).map(tagOf));
      expect([...tags], script.slice(0, 40)).toHaveLength(1);
    } else if (byScript && command[1]?.startsWith('rekindle:{')) {
      touched++;
      expect(tags).toContain(tagOf(command[1]));
    }
  }
  expect(touched).toBeGreaterThan(50);
  // `open` ran before the recording
  expect(runs.size).toBe(scripts - 1);
});

test('a commit is one command, and so are a load, a renewed lead, an announcement and a copy; a poll is one round trip', async () => {
  const url = newDatabase();
  const store = await openStore(url);
  const fence = (await store.lead('one', 60_000))!;
  await store.commit(commitOf(0, stateOf('shop')));
  await store.versions();
  const commandsOf = async (use: () => Promise<unknown>) =>
    (await recorded(url, async () => void (await use())))
      .filter(({ byScript, command }) => !byScript && !/^(ping|hello|info|client|select|monitor)$/i.test(command[0]!))
      .map(({ command }) => command[0]!.toLowerCase());
  let version = 1;
  const silent = () => store.commit(commitOf(version, stateOf('shop', { version: ++version }), { nowMs: Date.now() }));
  await silent();
  expect(await commandsOf(silent)).toEqual(['evalsha']);
  const commit = () => store.commit(commitOf(version, stateOf('shop', { version: ++version }), { audit: [entryOf('x')], fence }));
  await commit();
  expect(await commandsOf(commit)).toEqual(['evalsha']);
  await store.load('shop');
  expect(await commandsOf(() => store.load('shop'))).toEqual(['evalsha']);
  expect(await commandsOf(() => store.lead('one', 60_000))).toEqual(['evalsha']);
  await store.announce(fence, 'x');
  expect(await commandsOf(() => store.announce(fence, 'x'))).toEqual(['evalsha']);
  await store.putCopy('shop', 'k', copyOf(10), 1000);
  expect(await commandsOf(() => store.putCopy('shop', 'k', copyOf(10), 1000))).toEqual(['evalsha']);
  expect(await commandsOf(() => store.getCopy('shop', 'k', 2000))).toEqual(['hget']);
  expect(await commandsOf(() => store.versions())).toEqual(['mget', 'hget', 'time', 'smembers', 'hget']);
});
