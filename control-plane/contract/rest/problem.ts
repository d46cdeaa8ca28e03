import Type, { type Static } from 'typebox';

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URN of the kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String({ description: 'Stable code of the kind of problem' }),
    because: Type.Optional(Type.String({ description: 'Stable code of a refusal, one level below `code`' })),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }))),
  },
  { description: 'RFC 9457', $id: 'Problem' },
);
export type Problem = Static<typeof Problem>;
