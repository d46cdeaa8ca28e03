import Type from 'typebox';
import { NAME_PATTERN } from '../names.ts';
import { closed } from '../schema-kinds.ts';

/** Narrows entries of the audit down. */
export const auditFilters = {
  feature: Type.Optional(Type.String({ pattern: NAME_PATTERN, maxLength: 63, description: 'Only of this feature', examples: ['catalog'] })),
  kind: Type.Optional(
    Type.String({ pattern: '^[a-z][a-z-]{0,62}$', maxLength: 63, description: 'Only this action', examples: ['flag-changed'] }),
  ),
  actor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 63, description: 'Only by this token, or `recovery`', examples: ['recovery'] }),
  ),
};

export const EventQuery = Type.Object(
  {
    service: Type.Optional(Type.String({ pattern: NAME_PATTERN, maxLength: 63, description: 'Only of this service', examples: ['shop'] })),
    ...auditFilters,
  },
  { ...closed, default: {} },
);
export const EventHeaders = Type.Object({
  'last-event-id': Type.Optional(Type.String({ maxLength: 64, description: 'Id of the last event that the caller saw' })),
});
