import type { Static } from 'typebox';
import type { Reason } from '../../contract/rest/reasons.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** `1h30m`, `45s`, `200ms`: the two largest units. */
export function spanOf(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1000) * 1000;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join('');
}

/** ms of `90s`, `15m`, `1h30m`, `250ms`; null: the text is no duration. */
export function msOf(text: string): number | null {
  const parts = [...text.matchAll(/(\d{1,9})(ms|[smhd])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return null;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unit === 'ms' ? 1 : UNITS.find(([name]) => name === unit)![1]), 0);
}

/** `2026-11-22T10:03:05Z` */
export function momentOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Basis points as `12.5%`. */
export function percentOf(basisPoints: number): string {
  return `${Number((basisPoints / 100).toFixed(2))}%`;
}

/** `failure-rate failed=41 samples=60` */
export function reasonOf({ because, numbers = {} }: Static<typeof Reason>): string {
  return [because, ...Object.entries(numbers).map(([name, value]) => `${name}=${shown(name, value)}`)].join(' ');
}

function shown(name: string, value: unknown): string {
  if (typeof value !== 'number') return String(value);
  if (/AtMs$/.test(name)) return momentOf(value);
  return String(Number(value.toFixed(4)));
}

export function plural(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}
