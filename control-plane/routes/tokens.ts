import Type from 'typebox';
import type { Token } from '../access/access.ts';
import { AuditView } from '../contract/rest/audit.ts';
import { HistoryPage, historyPageOf } from '../contract/rest/pages.ts';
import { NewToken, TokenPage, TokenPath, TokenRequest, TokenView } from '../contract/rest/tokens.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, historyQuery, pageByName, type RouteDependencies, ref } from '../http/route.ts';
import { ACCESS_AUDIT } from '../store/store.ts';

const tags = ['access'];
const config = scopes('admin');
const tokenPage = Type.Object({ items: Type.Array(TokenView), next: Type.Union([Type.String(), Type.Null()]) });

export function tokenRoutes(app: App, { access, store, log }: RouteDependencies): void {
  const viewOf = ({ id, name, scope, service, createdBy, createdAtMs }: Token): TokenView => {
    const source = access.isGiven(id) ? 'file' : 'rest';
    return { id, name, scope, service, source, createdBy, createdAtMs };
  };

  const list = {
    operationId: 'listTokens',
    summary: 'List access tokens',
    description: 'Without their secrets, of which only hashes are kept.',
    tags,
    querystring: TokenPage,
    response: answers({ 200: tokenPage }),
  };
  app.get('/v1/tokens', { schema: list, config }, async (request) => {
    const page = pageByName(access.list(), ({ name }) => name, request.query);
    return { items: page.items.map(viewOf), next: page.next };
  });

  const create = {
    operationId: 'createToken',
    summary: 'Create an access token',
    description:
      'The answer shows the secret, once. From the first token on, which must have scope admin, every request needs one. To replace a ' +
      'token, create another one, hand it out, and revoke the first.',
    tags,
    body: ref(TokenRequest, 'TokenRequest'),
    response: answers({ 201: NewToken }),
  };
  app.post('/v1/tokens', { schema: create, config }, async (request, reply) => {
    const { token, secret } = await access.create(request.body, callerOf(request));
    log.info({ token: token.id, name: token.name, scope: token.scope, by: callerOf(request).name }, 'token created');
    reply.header('location', `/v1/tokens/${token.id}`).header('cache-control', 'no-store');
    return reply.code(201).send({ ...viewOf(token), token: secret });
  });

  const revoke = {
    operationId: 'revokeToken',
    summary: 'Revoke an access token',
    description: 'Takes effect with the next request. The last token of scope admin stays, and so do those of the file.',
    tags,
    params: TokenPath,
    response: answers({ 204: 'Revoked' }),
  };
  app.delete('/v1/tokens/:id', { schema: revoke, config }, async (request, reply) => {
    const token = await access.revoke(request.params.id, callerOf(request));
    log.info({ token: token.id, name: token.name, by: callerOf(request).name }, 'token revoked');
    return reply.code(204).send();
  });

  const audit = {
    operationId: 'readTokenAudit',
    summary: 'Which tokens were created and revoked, newest first',
    tags,
    querystring: HistoryPage,
    response: answers({ 200: historyPageOf(AuditView) }),
  };
  app.get('/v1/tokens/audit', { schema: audit, config }, (request) => store.audit(ACCESS_AUDIT, historyQuery(request.query)));
}
