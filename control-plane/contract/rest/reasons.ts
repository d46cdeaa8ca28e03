import Type from 'typebox';
import { closed } from '../schema-kinds.ts';
import { words } from './kinds.ts';

export const Reason = Type.Object(
  {
    because: Type.String({ description: 'Stable code' }),
    numbers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean()]))),
  },
  { description: 'Why something is as it is, with the figures that led to it' },
);

export const Because = Type.Object(
  { reason: words('Why; kept in the audit') },
  { ...closed, examples: [{ reason: 'vendor says it is fixed' }] },
);
export const BecauseQuery = Type.Object({ reason: Type.Optional(words('Why; kept in the audit')) }, { ...closed, default: {} });
