import { Readable } from 'node:stream';
import { scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies } from '../http/route.ts';
import { endIfStalled } from '../http/stalled.ts';

/** A reader that takes nothing for this long is cut off: while it reads, the store cannot use freed pages again and its file grows. */
const STALLED_MS = 30_000;

const schema = {
  operationId: 'backup',
  summary: 'A backup of the whole store, taken while it works',
  description:
    'Lines of JSON: a head, one line per row, and an end with their number and SHA-256. `node dist/control-plane/restore.js <file>` fills an empty data folder from it; ' +
    'the restored store has a lineage of its own, so that filters take its directives. A reader that takes nothing for 30 s is cut off: the ' +
    'backup then lacks its end, and is refused when it is restored.',
  tags: ['process'],
  response: { ...answers({}), 200: { description: 'The backup', content: { 'application/x-ndjson': { schema: { type: 'string' } } } } },
};

export function backupRoutes(app: App, { fleet, store }: RouteDependencies): void {
  app.get('/v1/backup', { schema, config: scopes('admin') }, (_, reply) => {
    const takenAt = new Date(fleet.clock());
    const name = `rekindle-${takenAt.toISOString().replace(/[:.]/g, '-')}.ndjson`;
    const lines = Readable.from(store.backup(takenAt.getTime()));
    endIfStalled(reply.raw, lines, STALLED_MS);
    return reply
      .type('application/x-ndjson')
      .header('content-disposition', `attachment; filename="${name}"`)
      .header('cache-control', 'no-store')
      .send(lines);
  });
}
