import Type, { type TSchema } from 'typebox';

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const instant = (description: string) => Type.Number({ description: `${description}, in ms since 1970` });
export const span = (description: string) => Type.Number({ minimum: 0, description: `${description}, in ms` });
export const words = (description: string) => Type.String({ minLength: 1, maxLength: 1024, description });
