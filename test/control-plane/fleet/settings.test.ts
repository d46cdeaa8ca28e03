import { describe, expect, test } from 'vitest';
import { readSettings, settingsHelp } from '../../../control-plane/settings.ts';

describe('settings', () => {
  test('have defaults that listen on loopback', () => {
    expect(readSettings({})).toEqual({
      settings: {
        host: '127.0.0.1',
        port: 7700,
        dataDir: '.data',
        logLevel: 'info',
        tickMs: 250,
        maxWatchers: 20_000,
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
  ])('%s=%s is refused with what it must be and what it was', ([name, text]) => {
    expect(readSettings({ [name!]: text })).toEqual({ problems: [expect.stringMatching(new RegExp(`^${name} must be .*got "${text}"$`))] });
  });

  test.for(['0.0.0.0', '::', '10.0.0.7', 'control-plane.local', '128.0.0.1', '127.evil.example'])(
    '%s is refused unless it is asked for',
    (host) => {
      expect(readSettings({ REKINDLE_HOST: host })).toEqual({ problems: [expect.stringContaining('not a loopback address')] });
      expect(readSettings({ REKINDLE_HOST: host, REKINDLE_INSECURE_BIND: 'yes' })).toMatchObject({ settings: { host } });
    },
  );

  test.for(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s is loopback', (host) => {
    expect(readSettings({ REKINDLE_HOST: host })).toMatchObject({ settings: { host } });
  });

  test('are listed for people with name and default', () => {
    expect(settingsHelp()).toHaveLength(7);
    expect(settingsHelp().every((line) => /^ {2}REKINDLE_\w+ +.+ \(default .+\)$/.test(line))).toBe(true);
  });
});
