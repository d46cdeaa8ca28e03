import Type, { type TSchema } from 'typebox';
import { LIMITS } from '../limits.ts';

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const instant = (description: string) => Type.Number({ description: `${description}, in ms since 1970` });
export const span = (description: string) => Type.Number({ minimum: 0, description: `${description}, in ms` });
/** When something that a person sets ends by itself. */
export const expiry = () =>
  Type.Union([Type.Integer({ minimum: 1000, maximum: LIMITS.durationMs }), Type.Literal('never')], {
    default: 3_600_000,
    description: 'ms, or "never", which is reminded of daily',
  });
export const words = (description: string) => Type.String({ minLength: 1, maxLength: 1024, description });
