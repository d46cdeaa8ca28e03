import helmet from '@fastify/helmet';
import Fastify from 'fastify';
import type { App } from './route.ts';

type Headers = readonly (readonly [name: string, value: string])[];

/** What keeps a browser from making a page of an answer: all that the routes of filters send, which no browser visits. */
const OF_FILTERS: ReadonlySet<string> = new Set(['content-security-policy', 'x-content-type-options']);

let headers: Promise<Headers> | null = null;

/** Answers are data: no page may be made of them. TLS, and so HSTS, is the matter of whatever stands in front. */
export async function securityHeaders(app: App): Promise<void> {
  headers ??= fromHelmet();
  const ofPeople = await headers;
  const ofFilters = ofPeople.filter(([name]) => OF_FILTERS.has(name));
  app.addHook('onRequest', (request, reply, done) => {
    const isFilters = request.routeOptions.config.scopes?.includes('filter') ?? false;
    for (const [name, value] of isFilters ? ofFilters : ofPeople) reply.raw.setHeader(name, value);
    done();
  });
}

/** They are the same for every answer, so helmet is asked once, and not with each of thousands of reports a second. */
async function fromHelmet(): Promise<Headers> {
  const asked = Fastify();
  await asked.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false,
  });
  asked.get('/', (_, reply) => reply.send(reply.raw.getHeaders()));
  const { body } = await asked.inject('/');
  await asked.close();
  return Object.entries(JSON.parse(body) as Record<string, string>);
}

/** For the pages of the documentation: their own scripts and styles, and requests to this origin. */
export const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
