import { expect, test } from 'vitest';
import { FLEET_KEYS } from '../../../../control-plane/store/redis/keys.ts';
import { ANNOUNCEMENTS } from '../../../../control-plane/store/store.ts';
import { commitOf, stateOf } from '../samples.ts';
import { databases, openClient, openStore } from './server.ts';

const newDatabase = databases();
const LEASE_MS = 300;

async function pair() {
  const url = newDatabase();
  const [one, two] = [await openStore(url), await openStore(url)];
  for (const service of ['bank', 'shop']) await one.commit(commitOf(0, stateOf(service)));
  return { url, one, two };
}

test('of two holders one leads; the other takes over when the lease has run out, and no earlier', async () => {
  const { one, two } = await pair();
  const first = (await one.lead('one', LEASE_MS))!;
  const since = performance.now();
  expect(await two.lead('two', LEASE_MS)).toBeNull();
  await expect.poll(() => two.lead('two', LEASE_MS), { interval: 10 }).not.toBeNull();
  expect(performance.now() - since).toBeGreaterThan(LEASE_MS - 50);
  expect((await two.lead('two', LEASE_MS))!.counter).toBe(first.counter + 1);
});

test('a leader that was paused past its lease changes nothing afterwards: not what it knew, not what was created since', async () => {
  const { one, two } = await pair();
  const old = (await one.lead('one', LEASE_MS))!;
  await expect.poll(() => two.lead('two', 60_000), { interval: 10 }).not.toBeNull();
  await two.commit(commitOf(0, stateOf('new')));
  for (const service of ['bank', 'shop', 'new']) {
    expect(await one.commit(commitOf(1, stateOf(service, { version: 2 }), { fence: old })), service).toBe('fenced');
    expect(await two.load(service)).toMatchObject({ version: 1 });
  }
  expect(await one.announce(old, 'I lead')).toBe(false);
  expect(await one.lead('one', LEASE_MS)).toBeNull();
});

test('services are fenced before the new leadership is known, also when the first try was cut off half-way', async () => {
  const { url, one, two } = await pair();
  const old = (await one.lead('one', 60_000))!;
  const redis = openClient(url);
  // As a process does that takes the lead and dies before it has raised the fences, and is back under its name.
  await redis.set(FLEET_KEYS.leader, 'two', 'PX', 60_000);
  await redis.incr(FLEET_KEYS.counter);
  expect((await two.lead('two', 60_000))!.counter).toBe(old.counter + 1);
  expect(await one.commit(commitOf(1, stateOf('shop', { version: 2 }), { fence: old }))).toBe('fenced');
});

test('one that comes back in time for nobody else leads anew, under a higher counter', async () => {
  const { url, one } = await pair();
  const first = (await one.lead('one', LEASE_MS))!;
  await openClient(url).del(FLEET_KEYS.leader);
  expect(await one.announce(first, 'x')).toBe(false);
  expect((await one.lead('one', LEASE_MS))!.counter).toBe(first.counter + 1);
});

test('a store that closes gives the lead back', async () => {
  const { one, two } = await pair();
  await one.lead('one', 60_000);
  await one.close();
  expect(await two.lead('two', 60_000)).not.toBeNull();
});

test('what the leader announces is kept and told', async () => {
  const { one, two } = await pair();
  const heard: string[] = [];
  two.bus!.subscribe(ANNOUNCEMENTS, (message) => heard.push(message));
  const fence = (await one.lead('one', 60_000))!;
  let tick = 0;
  await expect.poll(async () => (await one.announce(fence, `tick ${++tick}`)) && heard.length > 0).toBe(true);
  expect((await two.versions()).announced).toBe(`tick ${tick}`);
});
