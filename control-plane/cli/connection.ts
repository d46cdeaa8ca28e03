import { readFileSync } from 'node:fs';
import { usage } from './failure.ts';

export const DEFAULT_URL = 'http://127.0.0.1:7700';

/** How the control plane is reached. */
export interface Connection {
  /** Ends with a slash. */
  readonly base: URL;
  readonly token: string | null;
  /** Longest time of one request. */
  readonly timeoutMs: number;
}

export interface ConnectionOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly timeout: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Options beat the environment. */
export function connectionOf({ url, tokenFile, timeout }: ConnectionOptions, environment: Environment): Connection {
  return { base: baseOf(url ?? (environment['REKINDLE_URL'] || DEFAULT_URL)), token: tokenOf(tokenFile, environment), timeoutMs: timeout };
}

function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw usage(
      'the URL of the control plane must start with http:// or https://',
      `for instance ${DEFAULT_URL}, in --url or REKINDLE_URL`,
    );
  }
  if (url.username || url.password) throw usage('the URL must not hold a secret', 'put the token into REKINDLE_TOKEN or --token-file');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.search = '';
  url.hash = '';
  return url;
}

function tokenOf(file: string | undefined, environment: Environment): string | null {
  const token = (file === undefined ? environment['REKINDLE_TOKEN'] : contentOf(file))?.trim();
  if (file !== undefined && !token) throw usage(`the token file ${file} is empty`);
  // A header takes no other characters; the text itself is never shown.
  if (token && !/^[\x21-\x7e]+$/.test(token)) throw usage('the token must be one word of printable ASCII characters');
  return token || null;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`the token file cannot be read: ${(error as Error).message}`);
  }
}
