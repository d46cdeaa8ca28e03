import { readdirSync, readFileSync } from 'node:fs';
import type { ChainableCommander, Redis } from 'ioredis';

/** One Lua file per atomic verb; the number at the end of its name says how many KEYS it takes. */
const FOLDER = new URL('./', import.meta.url);
const NAME = /^([a-z-]+)-(\d)\.lua$/;

export type Verb =
  | 'open'
  | 'renew'
  | 'register'
  | 'load'
  | 'commit'
  | 'cut-audit'
  | 'fence'
  | 'lead'
  | 'resign'
  | 'announce'
  | 'put-token'
  | 'put-back'
  | 'put-back-tokens'
  | 'put-copy';

type Argument = string | number | Buffer;
type Defined = Record<string, (...args: Argument[]) => unknown>;

/** Makes every script known to this connection, which sends each one's text once and its hash from then on. */
export function defineScripts(redis: Redis): void {
  const prelude = readFileSync(new URL('lineage.lua', FOLDER), 'utf8');
  for (const file of readdirSync(FOLDER)) {
    const [, verb, keys] = NAME.exec(file) ?? [];
    if (verb === undefined) continue;
    const lua = `${prelude}\n${readFileSync(new URL(file, FOLDER), 'utf8')}`;
    redis.defineCommand(commandOf(verb as Verb), { lua, numberOfKeys: Number(keys) });
  }
}

/** Runs a script; what it returns is said in its header. */
export function run<T>(redis: Redis, verb: Verb, keys: readonly string[], args: readonly Argument[]): Promise<T> {
  return (redis as unknown as Defined)[commandOf(verb)]!(...keys, ...args) as Promise<T>;
}

/** Adds a script to a pipeline. */
export function add(pipeline: ChainableCommander, verb: Verb, keys: readonly string[], args: readonly Argument[]): void {
  (pipeline as unknown as Defined)[commandOf(verb)]!(...keys, ...args);
}

/** Sends a pipeline; the first error of a command is thrown. */
export async function sent<T>(pipeline: ChainableCommander): Promise<T[]> {
  return ((await pipeline.exec()) ?? []).map(([error, value]) => {
    if (error) throw error;
    return value as T;
  });
}

function commandOf(verb: Verb): string {
  return `rekindle-${verb}`;
}
