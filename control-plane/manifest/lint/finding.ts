/** Keys that lead to a place in a document. */
export type Keys = readonly (string | number)[];

/** What is wrong with a manifest, why, and what to do about it. */
export interface Finding {
  /** error: it cannot work as it stands; warning: it works, with a risk that is seldom wanted. */
  readonly severity: 'error' | 'warning';
  readonly keys: Keys;
  readonly reason: string;
  readonly remedy: string;
}

export const error = (keys: Keys, reason: string, remedy: string): Finding => ({ severity: 'error', keys, reason, remedy });
export const warning = (keys: Keys, reason: string, remedy: string): Finding => ({ severity: 'warning', keys, reason, remedy });

export type Json = Readonly<Record<string, unknown>>;

/** An object of a document, or an empty one where there is none. */
export function objectAt(value: unknown, ...keys: Keys): Json {
  const found = valueAt(value, keys);
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Json) : {};
}

export function listAt(value: unknown, ...keys: Keys): readonly unknown[] {
  const found = valueAt(value, keys);
  return Array.isArray(found) ? found : [];
}

/** undefined: nothing is there, or no text. */
export function textAt(value: unknown, ...keys: Keys): string | undefined {
  const found = valueAt(value, keys);
  return typeof found === 'string' ? found : undefined;
}

/** Protobuf's JSON takes the names of fields in both spellings: `stream_idle_timeout` and `streamIdleTimeout`. */
function valueAt(value: unknown, keys: Keys): unknown {
  return keys.reduce<unknown>((inner, key) => {
    if (typeof inner !== 'object' || inner === null) return undefined;
    const members = inner as Record<string | number, unknown>;
    return members[key] ?? (typeof key === 'string' ? members[camelCase(key)] : undefined);
  }, value);
}

export const camelCase = (name: string) => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
