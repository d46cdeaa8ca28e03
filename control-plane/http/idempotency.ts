import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IdempotencyKeyInUse, IdempotencyKeyReused, listing, RequestInvalid, saying } from '../errors.ts';
import { callerOf } from './guard.ts';
import type { App } from './route.ts';

export const CHANGES = ['POST', 'PUT', 'PATCH', 'DELETE'];
const KEPT_HEADERS = ['content-type', 'etag', 'location'] as const;
/** An answer is given again for this long, while there is room. */
const KEEP_MS = 3_600_000;
const MAX_BYTES = 16 * 1024 * 1024;
/** What an entry takes beside its body. */
const ENTRY_BYTES = 1024;

interface Entry {
  /** Of the request that came first. */
  readonly fingerprint: string;
  readonly atMs: number;
  /** null: it is still being carried out. */
  answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } | null;
}

/**
 * A change that is sent again with the same `Idempotency-Key`, since its answer was lost, is not made again: the first answer is given
 * again. Only successes are kept, in memory: whatever failed may be tried anew. Answers that must not be stored are not.
 */
export function idempotentRetries(app: App, clock: () => number): void {
  const entries = new AnswersKept(clock);
  const running = new WeakMap<FastifyRequest, string>();

  app.addHook('preHandler', (request, reply, done) => {
    const sent = request.headers['idempotency-key'];
    if (sent === undefined || !CHANGES.includes(request.method)) return done();
    const shown = String(sent);
    if (!/^[\x21-\x7e]{1,128}$/.test(shown)) {
      throw listing(RequestInvalid, [{ path: 'headers.idempotency-key', reason: 'must be 1 to 128 printable characters without blanks' }]);
    }
    const key = `${callerOf(request).tokenId ?? ''} ${shown}`;
    const fingerprint = fingerprintOf(request);
    const entry = entries.find(key);
    if (entry && entry.fingerprint !== fingerprint) throw new IdempotencyKeyReused(shown);
    if (entry && !entry.answer) throw saying(new IdempotencyKeyInUse(shown), { retryAfterSeconds: 1 });
    if (entry?.answer) return replay(reply, entry.answer);
    entries.start(key, fingerprint);
    running.set(request, key);
    done();
  });

  app.addHook('onSend', (request, reply, payload, done) => {
    const key = running.get(request);
    if (key === undefined) return done();
    const mayKeep = reply.statusCode < 300 && reply.getHeader('cache-control') !== 'no-store';
    if (mayKeep && (typeof payload === 'string' || payload === undefined || payload === null)) entries.end(key, reply, payload ?? '');
    else entries.drop(key);
    running.delete(request);
    done();
  });
}

function replay(reply: FastifyReply, { status, headers, body }: NonNullable<Entry['answer']>): void {
  reply
    .code(status)
    .headers({ ...headers, 'idempotency-replayed': 'true' })
    .send(body === '' ? undefined : body);
}

function fingerprintOf({ method, url, body, headers }: FastifyRequest): string {
  const hash = createHash('sha256').update(JSON.stringify([method, url, headers['if-match'], headers['if-none-match']]));
  return hash.update(Buffer.isBuffer(body) ? body : (JSON.stringify(body) ?? '')).digest('base64');
}

class AnswersKept {
  private readonly entries = new Map<string, Entry>();
  private readonly clock: () => number;
  private bytes = 0;

  constructor(clock: () => number) {
    this.clock = clock;
  }

  find(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry?.answer && this.clock() - entry.atMs > KEEP_MS) {
      this.drop(key);
      return undefined;
    }
    return entry;
  }

  start(key: string, fingerprint: string): void {
    this.entries.set(key, { fingerprint, atMs: this.clock(), answer: null });
    this.bytes += ENTRY_BYTES;
    for (const [oldest, { answer }] of this.entries) {
      if (this.bytes <= MAX_BYTES) return;
      if (answer) this.drop(oldest);
    }
  }

  end(key: string, reply: FastifyReply, body: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    const headers = Object.fromEntries(
      KEPT_HEADERS.flatMap((name) => (reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : [])),
    );
    entry.answer = { status: reply.statusCode, headers, body };
    this.bytes += body.length;
  }

  drop(key: string): void {
    this.bytes -= ENTRY_BYTES + (this.entries.get(key)?.answer?.body.length ?? 0);
    this.entries.delete(key);
  }
}
