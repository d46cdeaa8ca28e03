import { isIP } from 'node:net';

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly tickMs: number;
  readonly maxWatchers: number;
  readonly insecureBind: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Setting<T> {
  readonly name: string;
  readonly fallback: string;
  readonly description: string;
  /** undefined: the text is not a value; the description says what is. */
  readonly read: (text: string) => T | undefined;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

const SETTINGS: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
  host: {
    name: 'REKINDLE_HOST',
    fallback: '127.0.0.1',
    description: 'address or host name to listen on',
    read: (text) => (isIP(text) > 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text) ? text : undefined),
  },
  port: {
    name: 'REKINDLE_PORT',
    fallback: '7700',
    description: 'port to listen on, 0 to 65535; 0 takes a free one',
    read: integer(0, 65_535),
  },
  dataDir: { name: 'REKINDLE_DATA_DIR', fallback: '.data', description: 'folder of the embedded store', read: (text) => text },
  logLevel: {
    name: 'REKINDLE_LOG_LEVEL',
    fallback: 'info',
    description: `one of ${LOG_LEVELS.join(', ')}`,
    read: (text) => (LOG_LEVELS.includes(text) ? text : undefined),
  },
  tickMs: { name: 'REKINDLE_TICK_MS', fallback: '250', description: 'time between ticks, 50 to 5000 ms', read: integer(50, 5000) },
  maxWatchers: {
    name: 'REKINDLE_MAX_WATCHERS',
    fallback: '20000',
    description: 'long polls that may wait at the same time, 1 to 1000000',
    read: integer(1, 1_000_000),
  },
  insecureBind: {
    name: 'REKINDLE_INSECURE_BIND',
    fallback: 'no',
    description: 'yes or no; yes allows to listen on other addresses than loopback, where whoever reaches the port may change everything',
    read: (text) => ({ yes: true, no: false })[text],
  },
};

const KEYS = Object.keys(SETTINGS) as (keyof Settings)[];

/** Reads all settings, or names all that is wrong with them. */
export function readSettings(environment: Environment): { readonly settings: Settings } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const values = Object.fromEntries(
    KEYS.map((key) => {
      const { name, fallback, description, read } = SETTINGS[key] as Setting<unknown>;
      const text = environment[name] || fallback;
      const value = read(text);
      if (value === undefined) problems.push(`${name} must be ${description}; got ${JSON.stringify(text)}`);
      return [key, value];
    }),
  ) as unknown as Settings;
  if (problems.length === 0 && !isLoopback(values.host) && !values.insecureBind) problems.push(exposed(values.host));
  return problems.length > 0 ? { problems } : { settings: values };
}

/** Lines for `--help`. */
export function settingsHelp(): string[] {
  return KEYS.map((key) => SETTINGS[key]).map(
    ({ name, fallback, description }) => `  ${name.padEnd(24)} ${description} (default ${fallback})`,
  );
}

function exposed(host: string): string {
  return (
    `REKINDLE_HOST is ${host}, which is not a loopback address, and there are no access tokens: whoever reaches the port could change ` +
    'everything. Listen on 127.0.0.1 or ::1, or set REKINDLE_INSECURE_BIND=yes if the network keeps strangers out'
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function integer(minimum: number, maximum: number): (text: string) => number | undefined {
  return (text) => (/^\d{1,9}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum ? Number(text) : undefined);
}
