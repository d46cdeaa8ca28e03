import Type, { type Static } from 'typebox';
import { Name } from '../names.ts';
import { closed } from '../schema-kinds.ts';
import { instant, nullable } from './kinds.ts';
import { pageSize } from './pages.ts';

/** What a token may do. read < operate < admin, each with all that is before it; filter stands apart. */
export const SCOPES = ['read', 'operate', 'admin', 'filter'] as const;
export type Scope = (typeof SCOPES)[number];

const Scope = Type.Enum([...SCOPES], {
  description:
    'read: see everything; operate: also change policies, overrides and recoveries; admin: also tokens and backups; ' +
    'filter: what the filters of one service call, and nothing else',
});
const TokenName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$',
  minLength: 1,
  maxLength: 63,
  description: 'Who or what holds it; the actor of the audit',
});
const TokenId = Type.String({ pattern: '^[0-9a-f]{12}$', description: 'Names the token without giving it away' });

export const TokenPath = Type.Object({ id: TokenId });

export const TokenPage = Type.Object(
  { limit: pageSize, cursor: Type.Optional(Type.String({ maxLength: 63, description: '`next` of the page before' })) },
  { ...closed, default: {} },
);

export const TokenRequest = Type.Object(
  { name: TokenName, scope: Scope, service: Type.Optional(Name) },
  {
    ...closed,
    description: '`service` belongs to scope filter, and to nothing else',
    examples: [
      { name: 'alice', scope: 'admin' },
      { name: 'shop-sidecars', scope: 'filter', service: 'shop' },
    ],
  },
);
export type TokenRequest = Static<typeof TokenRequest>;

/** Tokens that a process is given at its start; `sha256` spares the file the secret. */
export const TokenFile = Type.Object(
  {
    tokens: Type.Array(
      Type.Object(
        {
          name: TokenName,
          scope: Scope,
          service: Type.Optional(Name),
          token: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._~+/=-]+$', minLength: 32, maxLength: 256 })),
          sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
        },
        closed,
      ),
      { minItems: 1, maxItems: 1000 },
    ),
  },
  closed,
);

export type TokenFile = Static<typeof TokenFile>;

const tokenMembers = {
  id: TokenId,
  name: TokenName,
  scope: Scope,
  service: nullable(Name),
  source: Type.Enum(['rest', 'file'], { description: 'Where it came from; one of the file is revoked in the file' }),
  createdBy: nullable(Type.String()),
  createdAtMs: nullable(instant('When it was created; null: it comes from the file')),
};
export const TokenView = Type.Object(tokenMembers);
export type TokenView = Static<typeof TokenView>;
export const NewToken = Type.Object({ ...tokenMembers, token: Type.String({ description: 'The secret; it is never shown again' }) });
export type NewToken = Static<typeof NewToken>;
