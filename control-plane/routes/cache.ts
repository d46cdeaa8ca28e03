import { crc32 } from 'node:zlib';
import Type from 'typebox';
import { LIMITS } from '../contract/limits.ts';
import { CHECKSUM_HEADER, CopyHeaders, CopyPath, CopyQuery } from '../contract/rest/cache.ts';
import { CopyDamaged, CopyUnknown } from '../errors.ts';
import { storeProblem } from '../fleet/store-problem.ts';
import { scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies } from '../http/route.ts';

const BYTES = 'application/octet-stream';
const bytes = (description: string) => ({
  description,
  content: { [BYTES]: { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } },
});

const getSchema = {
  operationId: 'getCopy',
  summary: 'Read a shared copy of an answer',
  description:
    'The bytes as a filter of the same service has put them. `age` is the time in seconds, rounded up, that the copy has been here; what it ' +
    'was before is told inside of it. 404 is a miss.',
  tags: ['filters'],
  params: CopyPath,
  response: { ...answers({}), 200: bytes('The copy, with its CRC-32 in `rekindle-crc32`') },
};

const putSchema = {
  operationId: 'putCopy',
  summary: 'Share a copy of an answer',
  description:
    `At most ${LIMITS.copyBytes} bytes. The copies of one service share a budget of bytes; when it is used up, those that expire first go. ` +
    'A copy may be lost at any time: it is a cache.',
  tags: ['filters'],
  params: CopyPath,
  querystring: CopyQuery,
  headers: CopyHeaders,
  body: bytes('The copy, opaque to the control plane'),
  response: answers({ 204: 'Kept, or not worth keeping' }),
};

/** The shared part of the filters' stale cache. */
export function cacheRoutes(app: App, { fleet, store, metrics, copyBudgetBytes }: RouteDependencies): void {
  /** Told once per outage: proxies put many. */
  let isKeeping = true;
  // Only here are bytes a body; elsewhere they go on to be refused as an unsupported media type.
  app.register(async (scope: App) => {
    scope.addContentTypeParser(BYTES, { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => body);

    scope.get('/v1/services/:service/cache/:key', { schema: getSchema, config: scopes('filter') }, async (request, reply) => {
      const { service, key } = request.params;
      fleet.found(service);
      const nowMs = fleet.clock();
      const copy = await store.getCopy(service, key, nowMs);
      const sound = copy !== null && crc32(copy.bytes) === copy.checksum;
      metrics.copies.inc({ service, result: sound ? 'hit' : copy === null ? 'miss' : 'damaged' });
      if (!sound) throw new CopyUnknown(service);
      return reply
        .type(BYTES)
        .header('age', String(Math.ceil(Math.max(nowMs - copy.storedAtMs, 0) / 1000)))
        .header('cache-control', 'no-store')
        .header(CHECKSUM_HEADER, hex(copy.checksum))
        .send(copy.bytes as Buffer);
    });

    scope.put(
      '/v1/services/:service/cache/:key',
      { schema: putSchema, config: scopes('filter'), bodyLimit: LIMITS.copyBytes },
      async (request, reply) => {
        const { service, key } = request.params;
        fleet.found(service);
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const checksum = crc32(body);
        const told = request.headers[CHECKSUM_HEADER];
        if (hex(checksum) !== told) throw new CopyDamaged(hex(checksum), told);
        const storedAtMs = fleet.clock();
        const expiresAtMs = storedAtMs + request.query.ttlMs;
        await store.putCopy(service, key, { bytes: body, checksum, storedAtMs, expiresAtMs }, copyBudgetBytes).catch((error: unknown) => {
          if (isKeeping) request.log.warn({ err: error, reqId: request.id, service }, 'shared copies are not kept now');
          isKeeping = false;
          throw storeProblem(error);
        });
        isKeeping = true;
        metrics.copies.inc({ service, result: 'put' });
        return reply.code(204).send();
      },
    );
  });
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
