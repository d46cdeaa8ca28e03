import Type, { type Static } from 'typebox';

export const Readiness = Type.Object({
  status: Type.Enum(['ready', 'degraded', 'not-ready'], {
    description: 'degraded: filters and readers are served from memory, but changes or recoveries stand still; see the parts',
  }),
  role: Type.Enum(['alone', 'leader', 'follower'], { description: 'alone: the process has its store for itself' }),
  parts: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), detail: Type.String() })),
});
export type Readiness = Static<typeof Readiness>;
