import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { App } from './route.ts';
import { DOCS_POLICY } from './security-headers.ts';

/** The OpenAPI 3.1 document of all routes that are registered afterwards, and a page to try it. */
export async function describeRoutes(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rekindle control plane',
        description: 'Policies, health, recoveries and overrides of services behind the Rekindle filter.',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'An access token, once there are any; the list names the scopes that suffice',
          },
        },
      },
      tags: [
        { name: 'policies', description: 'What holds for a service' },
        { name: 'services', description: 'How services and their features fare, and why' },
        { name: 'recoveries', description: 'Outages on their way back' },
        { name: 'overrides', description: "People's word, which beats everything else" },
        { name: 'events', description: 'What changes, as it changes' },
        { name: 'access', description: 'Who may do what' },
        { name: 'filters', description: 'What filters call' },
        { name: 'process', description: 'How this process fares' },
      ],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json['$id'] ?? `schema-${index}`) },
    transform: ({ schema, url, route }) => ({ schema: { ...asCallersSeeIt(schema), security: securityOf(route.config?.scopes) }, url }),
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Any one of the scopes suffices; none is needed where the route is open. */
function securityOf(scopes: readonly string[] = ['admin']): Record<string, string[]>[] {
  return scopes.includes('open') ? [] : scopes.map((scope) => ({ token: [scope] }));
}

/** A schema as a caller must meet it: what has a default may be left out. */
export function asCallersSeeIt<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(asCallersSeeIt) as T;
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, asCallersSeeIt(value)]));
  const { required, properties } = copy as { required?: unknown; properties?: Readonly<Record<string, { default?: unknown }>> };
  if (Array.isArray(required) && properties) {
    const needed = required.filter((name: string) => properties[name]?.default === undefined);
    if (needed.length > 0) copy['required'] = needed;
    else delete copy['required'];
  }
  return copy as T;
}
