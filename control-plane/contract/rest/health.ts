import Type, { type Static } from 'typebox';

export const Readiness = Type.Object({
  status: Type.Enum(['ready', 'not-ready']),
  parts: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), detail: Type.String() })),
});
export type Readiness = Static<typeof Readiness>;
