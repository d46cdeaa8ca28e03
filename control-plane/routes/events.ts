import { randomUUID } from 'node:crypto';
import type { Caller } from '../access/access.ts';
import { EventHeaders, EventQuery } from '../contract/rest/events.ts';
import { Stopping, saying, TooManyStreams } from '../errors.ts';
import type { FleetEvent, NumberedEvent } from '../fleet/events.ts';
import { EventStream } from '../http/event-stream.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies } from '../http/route.ts';

const HEARTBEAT_MS = 15_000;
const MAX_STREAMS = 1000;
const RETRY_MS = 2000;

const schema = {
  operationId: 'followEvents',
  summary: 'Follow what changes, as server-sent events',
  description:
    'One event per entry of the audit, named by its action. A reader that comes back with `Last-Event-ID` gets what it missed; if some of ' +
    'that is no longer kept, or this process has started since, an event `reset` says so first: read the state again then. A comment ' +
    'every 15 s shows that the stream lives; `goodbye` means that the process stops. Readers that do not keep up are cut off.',
  tags: ['events'],
  headers: EventHeaders,
  querystring: EventQuery,
  response: { ...answers({}), 200: { description: 'A stream', content: { 'text/event-stream': { schema: { type: 'string' } } } } },
};

interface Reader {
  readonly stream: EventStream;
  readonly caller: Caller;
}

export function eventRoutes(app: App, { fleet, access, random }: RouteDependencies): void {
  /** Events of another process have another run. */
  const run = randomUUID().slice(0, 8);
  const readers = new Set<Reader>();
  let isStopping = false;

  const heartbeat = setInterval(() => {
    for (const { stream } of readers) stream.heartbeat();
  }, HEARTBEAT_MS).unref();
  access.onChange(() => {
    for (const { stream, caller } of readers) if (!access.admits(caller)) stream.destroy();
  });

  app.addHook('preClose', async () => {
    isStopping = true;
    clearInterval(heartbeat);
    for (const { stream } of readers) {
      stream.tell('goodbye', { retryMs: RETRY_MS });
      stream.end();
    }
  });

  app.get('/v1/events', { schema, config: scopes('read'), exposeHeadRoute: false }, (request, reply) => {
    if (isStopping) throw saying(new Stopping(), { retryAfterSeconds: 1 });
    if (readers.size >= MAX_STREAMS)
      throw saying(new TooManyStreams(String(MAX_STREAMS)), { retryAfterSeconds: 5 + Math.floor(random() * 5) });
    const stream = new EventStream();
    const wanted = filterOf(request.query);
    const tell = ({ number, event }: NumberedEvent): void => {
      if (wanted(event)) stream.tell(event.action, event, `${run}-${number}`);
    };
    stream.retryAfter(RETRY_MS);
    catchUp(stream, request.headers['last-event-id'], tell);
    const leave = fleet.events.follow(tell);
    const reader = { stream, caller: callerOf(request) };
    readers.add(reader);
    stream.once('close', () => {
      leave();
      readers.delete(reader);
    });
    return reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream').send(stream);
  });

  const catchUp = (stream: EventStream, lastId: string | undefined, tell: (entry: NumberedEvent) => void): void => {
    if (lastId === undefined) return;
    const [, ofRun, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(lastId) ?? [];
    const missed = ofRun === run ? fleet.events.since(Number(number)) : null;
    if (missed === null)
      stream.tell('reset', { reason: 'some events are no longer kept; read the state again' }, `${run}-${fleet.events.latest}`);
    for (const entry of missed ?? []) tell(entry);
  };
}

function filterOf({ service, feature, kind, actor }: { service?: string; feature?: string; kind?: string; actor?: string }) {
  return (event: FleetEvent): boolean =>
    (service === undefined || event.service === service) &&
    (feature === undefined || event.feature === feature) &&
    (kind === undefined || event.action === kind) &&
    (actor === undefined || event.actor === actor);
}
