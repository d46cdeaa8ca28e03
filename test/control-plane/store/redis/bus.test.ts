import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Connection } from '../../../../control-plane/store/redis/connection.ts';
import { RedisBus } from '../../../../control-plane/store/redis/redis-bus.ts';
import { startServer, type TestServer } from './server.ts';

const silent = pino({ level: 'silent' });

async function busOn(server: TestServer, prefix = 'rekindle:0:'): Promise<RedisBus> {
  const url = new URL(server.url);
  const [commands, messages] = [new Connection(url, 'commands', silent), new Connection(url, 'messages', silent)];
  await Promise.all([commands.redis.connect(), messages.redis.connect()]);
  const bus = new RedisBus(commands, messages, prefix);
  onTestFinished(() => {
    bus.close();
    commands.close();
  });
  return bus;
}

/** Says it until it is heard: the first ones may come before the subscription. */
async function heard(bus: RedisBus, got: readonly string[], message: string): Promise<void> {
  await expect
    .poll(
      () => {
        bus.publish('news', message);
        return got.includes(message);
      },
      { timeout: 10_000 },
    )
    .toBe(true);
}

test('a message reaches all who subscribed to its channel, also the one who sent it, and nobody else', async () => {
  const server = await startServer();
  const [one, two, foreign] = [await busOn(server), await busOn(server), await busOn(server, 'rekindle:1:')];
  const got = { one: [] as string[], two: [] as string[], other: [] as string[], foreign: [] as string[] };
  one.subscribe('news', (message) => got.one.push(message));
  const end = two.subscribe('news', (message) => got.two.push(message));
  two.subscribe('other', (message) => got.other.push(message));
  foreign.subscribe('news', (message) => got.foreign.push(message));
  await heard(one, got.one, 'a');
  await heard(one, got.two, 'b');
  end();
  await heard(one, got.one, 'c');
  await heard(foreign, got.foreign, 'd');
  expect([got.two.includes('c'), got.other, got.foreign.includes('a')]).toEqual([false, [], false]);
});

test('a subscription outlives the server, whatever was sent meanwhile is lost without an error', async () => {
  const server = await startServer();
  const bus = await busOn(server);
  const got: string[] = [];
  bus.subscribe('news', (message) => got.push(message));
  await heard(bus, got, 'before');
  await server.kill();
  bus.publish('news', 'lost');
  await server.restart({ empty: true });
  await heard(bus, got, 'after');
  expect(got).not.toContain('lost');
});
