import { InvalidArgumentError, Option } from 'commander';
import { LIMITS } from '../contract/limits.ts';
import { msOf } from './output/words.ts';

/** Text of an option or argument as a duration in ms. */
export function duration(text: string): number {
  const ms = msOf(text);
  if (ms === null || ms > LIMITS.durationMs) throw new InvalidArgumentError('it must be a duration up to 30d, such as 90s, 15m or 1h30m.');
  return ms;
}

/** As the API takes it: ms, or for ever. */
export function expiry(text: string): number | 'never' {
  return text === 'never' ? text : duration(text);
}

/** Basis points of `25%`. */
export function share(text: string): number {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(text) ?? [];
  const basisPoints = Math.round(Number(percent) * 100);
  if (percent === undefined || basisPoints > 10_000) throw new InvalidArgumentError('it must be a share from 0% to 100%, such as 25%.');
  return basisPoints;
}

/** `app=shop,tier=web` */
export function labels(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('='));
  if (pairs.some(({ length }) => length !== 2)) throw new InvalidArgumentError('it must be like app=shop,tier=web.');
  return { ...before, ...(Object.fromEntries(pairs) as Record<string, string>) };
}

export function names(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').filter((name) => name !== '')];
}

export function revision(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('it must be a number from 1 on.');
  return Number(text);
}

export const reasonOption = () => new Option('-r, --reason <text>', 'why; kept in the audit').makeOptionMandatory();
export const dryRunOption = () => new Option('--dry-run', 'only say what would be done');
export const forceOption = () => new Option('--force', 'drop features even while they recover or are overridden');

/** A part of a path of the API. */
export const part = encodeURIComponent;
