import { describe, expect, test } from 'vitest';
import { exposure, readSettings, type Settings, settingsHelp } from '../../../control-plane/settings.ts';

function settingsOf(environment: Record<string, string>): Settings {
  const read = readSettings(environment);
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read.settings;
}

describe('settings', () => {
  test('have defaults that listen on loopback', () => {
    expect(readSettings({})).toEqual({
      settings: {
        host: '127.0.0.1',
        port: 7700,
        dataDir: '.data',
        redisUrl: null,
        logLevel: 'info',
        tickMs: 250,
        maxWatchers: 20_000,
        sharedCopiesMib: 64,
        tokensFile: null,
        requestsPerMinute: 600,
        filterRequestsPerMinute: 60_000,
        nodesPerAddress: 32,
        nodesPerToken: 5000,
        trustedProxies: [],
        insecureBind: false,
      },
    });
  });

  test('are read from the environment; empty means default', () => {
    const environment = {
      REKINDLE_PORT: '0',
      REKINDLE_DATA_DIR: '/data',
      REKINDLE_TICK_MS: '50',
      REKINDLE_LOG_LEVEL: '',
      REKINDLE_HOST: '::1',
    };
    expect(readSettings(environment)).toMatchObject({ settings: { host: '::1', port: 0, dataDir: '/data', tickMs: 50, logLevel: 'info' } });
  });

  test.for([
    ['REKINDLE_PORT', '65536'],
    ['REKINDLE_PORT', '-1'],
    ['REKINDLE_PORT', '80a'],
    ['REKINDLE_TICK_MS', '49'],
    ['REKINDLE_TICK_MS', '5001'],
    ['REKINDLE_TICK_MS', '1e3'],
    ['REKINDLE_MAX_WATCHERS', '0'],
    ['REKINDLE_LOG_LEVEL', 'verbose'],
    ['REKINDLE_INSECURE_BIND', 'true'],
    ['REKINDLE_HOST', 'not a host'],
    ['REKINDLE_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['REKINDLE_TRUSTED_PROXIES', '10.0.0.1, proxy'],
    ['REKINDLE_NODES_PER_ADDRESS', 'many'],
  ])('%s=%s is refused with what it must be and what it was', ([name, text]) => {
    expect(readSettings({ [name!]: text })).toEqual({ problems: [expect.stringMatching(new RegExp(`^${name} must be .*got "${text}"$`))] });
  });

  test('are found when misspelt; what merely starts alike is left alone', () => {
    expect(readSettings({ REKINDLE_PROT: '1', REKINDLE_DATADIR: '/x' })).toEqual({
      problems: [
        'REKINDLE_PROT is not a setting; did you mean REKINDLE_PORT?',
        'REKINDLE_DATADIR is not a setting; did you mean REKINDLE_DATA_DIR?',
      ],
    });
    const links = { REKINDLE_SERVICE_HOST: '10.0.0.1', REKINDLE_SERVICE_PORT: '7700', REKINDLE_PORT_7700_TCP_ADDR: '10.0.0.1' };
    expect(readSettings(links)).toMatchObject({ settings: { port: 7700 } });
  });

  test('of the shared store are a URL', () => {
    const urls = ['redis://127.0.0.1', 'redis://:p%40ss@[::1]:6380/2', 'rediss://user:pass@redis.local:6380/'];
    for (const url of urls) expect(settingsOf({ REDIS_URL: url }).redisUrl?.href).toBe(new URL(url).href);
    expect(readSettings({ REKINDLE_REDIS_URL: urls[0]! })).toEqual({
      problems: ['REKINDLE_REDIS_URL is not a setting; did you mean REDIS_URL?'],
    });
  });

  test.for([
    'host:6379',
    'http://host',
    'redis:///0',
    'redis://host/two',
    'redis://host?password=geheim',
    'redis://:%E0%A4%A@host',
    'redis://:geheim@host:99999',
  ])('REDIS_URL=%s is refused without its password', (url) => {
    expect(readSettings({ REDIS_URL: url })).toEqual({
      problems: [expect.stringMatching(/^REDIS_URL must be redis:.*got something else$/)],
    });
  });

  test('of a Service of Kubernetes in the place of the port are told apart', () => {
    expect(readSettings({ REKINDLE_PORT: 'tcp://10.0.0.1:7700' })).toEqual({ problems: [expect.stringContaining('enableServiceLinks')] });
  });

  test('of proxies that are trusted are split by commas', () => {
    expect(settingsOf({ REKINDLE_TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16,fd00::/8', REKINDLE_NODES_PER_ADDRESS: '0' })).toMatchObject({
      trustedProxies: ['10.0.0.1', '10.1.0.0/16', 'fd00::/8'],
      nodesPerAddress: null,
    });
  });

  test.for(['0.0.0.0', '::', '10.0.0.7', 'control-plane.local', '128.0.0.1', '127.evil.example'])(
    '%s needs tokens, unless it is asked for without',
    (host) => {
      expect(exposure(settingsOf({ REKINDLE_HOST: host }))).toContain('not a loopback address');
      expect(exposure(settingsOf({ REKINDLE_HOST: host, REKINDLE_INSECURE_BIND: 'yes' }))).toBeNull();
    },
  );

  test.for(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s is loopback', (host) => {
    expect(exposure(settingsOf({ REKINDLE_HOST: host }))).toBeNull();
  });

  test('are listed for people with name and default', () => {
    expect(settingsHelp()).toHaveLength(15);
    expect(settingsHelp().every((line) => /^ {2}(REKINDLE_\w+|REDIS_URL) +.+ \(default .+\)$/.test(line))).toBe(true);
  });
});
