import { isIP } from 'node:net';
import { nearest } from './contract/nearest.ts';

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** null: the embedded store in `dataDir`. */
  readonly redisUrl: URL | null;
  readonly logLevel: string;
  readonly tickMs: number;
  readonly maxWatchers: number;
  readonly sharedCopiesMib: number;
  /** null: none. */
  readonly tokensFile: string | null;
  /** null: no limit; so are the next three. */
  readonly requestsPerMinute: number | null;
  readonly filterRequestsPerMinute: number | null;
  readonly nodesPerAddress: number | null;
  readonly nodesPerToken: number | null;
  readonly trustedProxies: readonly string[];
  readonly insecureBind: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Setting<T> {
  readonly name: string;
  /** Empty: none. */
  readonly fallback: string;
  readonly description: string;
  /** undefined: the text is not a value; the description says what is. */
  readonly read: (text: string) => T | undefined;
  /** Its value holds a password and is never shown. */
  readonly isSecret?: boolean;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

const SETTINGS: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
  host: {
    name: 'REKINDLE_HOST',
    fallback: '127.0.0.1',
    description: 'address or host name to listen on; other than loopback only with access tokens',
    read: (text) => (isIP(text) > 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text) ? text : undefined),
  },
  port: {
    name: 'REKINDLE_PORT',
    fallback: '7700',
    description: 'port to listen on, 0 to 65535; 0 takes a free one',
    read: integer(0, 65_535),
  },
  dataDir: { name: 'REKINDLE_DATA_DIR', fallback: '.data', description: 'folder of the embedded store', read: (text) => text },
  redisUrl: {
    name: 'REDIS_URL',
    fallback: '',
    description:
      'redis://[user:password@]host[:port][/database], or rediss:// for TLS: a Redis or Valkey that several processes share in place of the embedded store',
    read: (text) => (text === '' ? null : redisUrl(text)),
    isSecret: true,
  },
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
  sharedCopiesMib: {
    name: 'REKINDLE_SHARED_COPIES_MIB',
    fallback: '64',
    description: 'room for the copies that the proxies of one service share, 0 to 65536 MiB; 0 keeps none',
    read: integer(0, 65_536),
  },
  tokensFile: {
    name: 'REKINDLE_TOKENS_FILE',
    fallback: '',
    description: 'file of access tokens (YAML or JSON), beside those created over REST; see docs/access.md',
    read: (text) => text || null,
  },
  requestsPerMinute: {
    name: 'REKINDLE_REQUESTS_PER_MINUTE',
    fallback: '600',
    description: 'requests of one token on the routes for people, 0 to 1000000; 0: any number',
    read: limit,
  },
  filterRequestsPerMinute: {
    name: 'REKINDLE_FILTER_REQUESTS_PER_MINUTE',
    fallback: '60000',
    description: 'requests of one source address on the routes for filters, 0 to 1000000; 0: any number',
    read: limit,
  },
  nodesPerAddress: {
    name: 'REKINDLE_NODES_PER_ADDRESS',
    fallback: '32',
    description: 'proxies of one service that one source address may report for, 0 to 1000000; 0: any number',
    read: limit,
  },
  nodesPerToken: {
    name: 'REKINDLE_NODES_PER_TOKEN',
    fallback: '5000',
    description: 'proxies that may report with one token, 0 to 1000000; 0: any number',
    read: limit,
  },
  trustedProxies: {
    name: 'REKINDLE_TRUSTED_PROXIES',
    fallback: '',
    description: 'addresses or ranges (10.0.0.0/8), split by commas, whose X-Forwarded-For names the source address',
    read: addresses,
  },
  insecureBind: {
    name: 'REKINDLE_INSECURE_BIND',
    fallback: 'no',
    description:
      'yes or no; yes allows other addresses than loopback without access tokens: whoever reaches the port may change everything',
    read: (text) => ({ yes: true, no: false })[text],
  },
};

const KEYS = Object.keys(SETTINGS) as (keyof Settings)[];
const NAMES = KEYS.map((key) => SETTINGS[key].name);
const PREFIX = 'REKINDLE_';
/** Names without the prefix, so that a misspelt end is compared with ends alone. */
const NAME_OF_END = new Map(NAMES.map((name) => [name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name, name]));

/** Reads all settings, or names all that is wrong with them. */
export function readSettings(environment: Environment): { readonly settings: Settings } | { readonly problems: readonly string[] } {
  const problems: string[] = misspelt(environment);
  const values = Object.fromEntries(
    KEYS.map((key) => {
      const { name, fallback, description, read, isSecret } = SETTINGS[key] as Setting<unknown>;
      const text = environment[name] || fallback;
      const value = read(text);
      const got = isSecret ? 'something else' : JSON.stringify(text);
      if (value === undefined) problems.push(`${name} must be ${description}; got ${got}${hint(name, text)}`);
      return [key, value];
    }),
  ) as unknown as Settings;
  return problems.length > 0 ? { problems } : { settings: values };
}

/** Lines for `--help`. */
export function settingsHelp(): string[] {
  const width = Math.max(...NAMES.map(({ length }) => length));
  return settingRows().map(({ name, fallback, description }) => `  ${name.padEnd(width)}  ${description} (default ${fallback || 'none'})`);
}

/** Every setting, for a page of the docs. An empty fallback: none. */
export function settingRows(): readonly { readonly name: string; readonly fallback: string; readonly description: string }[] {
  return KEYS.map((key) => SETTINGS[key]);
}

/** Why a process without tokens does not listen on this address; null: it may. */
export function exposure({ host, insecureBind }: Settings): string | null {
  if (isLoopback(host) || insecureBind) return null;
  return (
    `REKINDLE_HOST is ${host}, which is not a loopback address, and there are no access tokens: whoever reaches the port could change ` +
    'everything. Give tokens in REKINDLE_TOKENS_FILE, or listen on 127.0.0.1 or ::1, or set REKINDLE_INSECURE_BIND=yes if the network ' +
    'keeps strangers out'
  );
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Variables that were meant as one of ours, as far as can be told. */
function misspelt(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !NAMES.includes(name))
    .flatMap((name) => {
      const meant = nearest(name.slice(PREFIX.length), [...NAME_OF_END.keys()]);
      return meant === null ? [] : [`${name} is not a setting; did you mean ${NAME_OF_END.get(meant)}?`];
    });
}

/** A Service named `rekindle` makes Kubernetes set REKINDLE_PORT in every pod beside it. */
function hint(name: string, text: string): string {
  const isServiceLink = name === 'REKINDLE_PORT' && text.startsWith('tcp://');
  return isServiceLink ? ' (Kubernetes sets this for a Service named rekindle: say enableServiceLinks: false in the pod)' : '';
}

function redisUrl(text: string): URL | undefined {
  try {
    const url = new URL(text);
    decodeURIComponent(url.username + url.password);
    const isSound = /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^(\/\d{0,4})?$/.test(url.pathname);
    return isSound && url.search === '' && url.hash === '' ? url : undefined;
  } catch {
    return undefined;
  }
}

function addresses(text: string): readonly string[] | undefined {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.every(isAddressRange) ? parts : undefined;
}

function isAddressRange(text: string): boolean {
  const [address = '', bits] = text.split('/');
  const version = isIP(address);
  return version > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)));
}

function limit(text: string): number | null | undefined {
  const read = integer(0, 1_000_000)(text);
  return read === 0 ? null : read;
}

function integer(minimum: number, maximum: number): (text: string) => number | undefined {
  return (text) => (/^\d{1,9}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum ? Number(text) : undefined);
}
