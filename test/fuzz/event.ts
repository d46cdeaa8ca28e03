import type { Pair } from '../filter/host/header-map.ts';

/** One callback of a stream, and what the host shows meanwhile. Bytes are strings of one character each. */
export interface Step {
  /** Without `proxy_on_`; `vanish`: the context goes without a word. */
  readonly call: string;
  readonly args: readonly number[];
  readonly headers?: readonly Pair[];
  readonly body?: string;
  /** Value of `response.flags`, and of `xds.cluster_name`. */
  readonly flags?: string;
  readonly cluster?: string;
}

/** Something that comes from outside: plain data, so that it can be kept in a file and told again. */
export type FuzzEvent =
  /** A configuration for one of the root contexts; it takes the place of an older one. */
  | { readonly do: 'configure'; readonly vm: number; readonly root: number; readonly text: string }
  /** A root context goes. */
  | { readonly do: 'close'; readonly vm: number; readonly root: number }
  | { readonly do: 'tick'; readonly vm: number; readonly root: number; readonly afterMs: number }
  /** An answer to the oldest call-out of this kind; `headers` null: none, as after a reset. The counts are what the host says. */
  | {
      readonly do: 'answer';
      readonly vm: number;
      readonly to: 'directive' | 'reports' | 'other';
      readonly headers: readonly Pair[] | null;
      readonly body: string;
      readonly headerCount: number;
      readonly bodySize: number;
    }
  | { readonly do: 'stream'; readonly vm: number; readonly root: number; readonly slot: number; readonly steps: readonly Step[] }
  /** A foreign hand writes a value of the shared data. */
  | { readonly do: 'share'; readonly key: string; readonly bytes: string }
  /** Any function that the module exports, with any arguments. */
  | { readonly do: 'raw'; readonly vm: number; readonly name: string; readonly args: readonly number[] }
  /** The next calls of a host function fail. */
  | { readonly do: 'fail'; readonly vm: number; readonly call: string; readonly result: number; readonly times: number };

/** Bytes of a string that holds one in each character. */
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
