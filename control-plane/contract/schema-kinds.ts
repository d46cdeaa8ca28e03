import Type from 'typebox';
import { LIMITS } from './limits.ts';

export const closed = { additionalProperties: false } as const;
/** An object whose every member has a default may be left out as a whole. */
export const defaulted = { additionalProperties: false, default: {} } as const;

export const duration = (defaultMs: number, minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: LIMITS.durationMs, default: defaultMs, description });
export const percent = (defaultPercent: number, minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: 100, default: defaultPercent, description });
export const count = (defaultCount: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, default: defaultCount, description });
