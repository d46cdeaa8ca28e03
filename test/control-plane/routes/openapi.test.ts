import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describe, expect, test } from 'vitest';
import { policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

interface Schema {
  readonly $ref?: string;
  readonly required?: string[];
  readonly examples?: object[];
}

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: string[];
  readonly parameters?: { in: string; name: string; required?: boolean; schema: { examples?: (string | number)[]; default?: unknown } }[];
  readonly security?: Record<string, string[]>[];
  readonly requestBody?: { content: Record<string, { schema: Schema }> };
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Schema> };
}

const documentOf = async ({ app }: Stage): Promise<Document> => (await app.inject('/openapi.json')).json();

function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, each]) => ({ ...each, path, method })));
}

describe('the OpenAPI document', () => {
  test('is of version 3.1, and every reference in it leads somewhere', async () => {
    const document = await documentOf(await stage());
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!);
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([]);
    expect(JSON.stringify(document).match(/"\$ref":"(?!#\/components)/)).toBeNull();
  });

  test('lints clean by the strict rules, without a warning', async () => {
    const { app } = await stage();
    const { body: source } = await app.inject('/openapi.json');
    const config = await createConfig({ extends: ['recommended-strict'] });
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([]);
  });

  test('names the scopes that each operation needs', async () => {
    const operations = operationsOf(await documentOf(await stage()));
    const of = (id: string) => operations.find(({ operationId }) => operationId === id)?.security;
    expect(of('live')).toEqual([]);
    expect(of('watchDirective')).toEqual([{ token: ['read'] }, { token: ['filter'] }]);
    expect(of('createToken')).toEqual([{ token: ['admin'] }]);
    expect(operations.filter(({ security }) => security === undefined)).toEqual([]);
  });

  test('has examples of parameters, and each is accepted', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'catalog'));
    const operations = operationsOf(await documentOf(control)).filter(({ method, path }) => method === 'get' && path.startsWith('/v1'));
    for (const { path, parameters = [] } of operations.filter((each) => each.path !== '/v1/events')) {
      const known: Record<string, string> = { service: 'shop', feature: 'catalog', revision: '1', id: 'r1', key: '0'.repeat(32) };
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? 'x');
      const query = parameters.flatMap(({ in: place, name, schema }) => {
        const value = schema.examples?.[0] ?? schema.default;
        return place === 'query' && value !== undefined ? [`${name}=${value}`] : [];
      });
      const { statusCode, body } = await control.app.inject(`${url}?${query.join('&')}`);
      expect([200, 304, 404], `${url}?${query.join('&')}: ${body}`).toContain(statusCode);
      if (statusCode === 404) expect(path, body).toMatch(/\{id\}|\{key\}|override$/);
    }
  });

  test('gives every operation an id of its own, a summary and a tag', async () => {
    const operations = operationsOf(await documentOf(await stage()));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(operations.filter(({ operationId, summary, tags }) => !operationId || !summary || tags?.length !== 1)).toEqual([]);
  });

  test('asks for nothing that has a default', async () => {
    const document = await documentOf(await stage());
    expect(document.components.schemas['Policy']?.required).toEqual(['service', 'features']);
    const queries = operationsOf(document).flatMap(({ parameters = [] }) => parameters.filter((parameter) => parameter.in === 'query'));
    expect(queries.filter(({ required }) => required)).toEqual([]);
  });

  test('has an example for every body, and each is accepted', async () => {
    const document = await documentOf(await stage());
    const withBody = operationsOf(document).filter(({ requestBody }) => requestBody?.content['application/json']);
    expect(withBody.length).toBeGreaterThanOrEqual(6);
    for (const { path, method, requestBody } of withBody) {
      const { schema } = requestBody!.content['application/json']!;
      const { examples = [] } = schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)!]! : schema;
      expect([path, examples.length]).not.toEqual([path, 0]);
      for (const payload of examples) {
        const control = await stage();
        if (!path.startsWith('/v1/policies')) await putPolicy(control, policyDraft('shop', 'catalog'));
        const url = path.replace('{service}', 'shop').replace('{feature}', 'catalog').replace('{id}', 'r1');
        const { statusCode, body } = await control.app.inject({ method: method.toUpperCase() as 'PUT', url, payload });
        // Nothing recovers here: a command that is understood may still be refused as not possible (409) or without its object (404).
        expect([200, 201, 404, 409], `${method} ${url}: ${body}`).toContain(statusCode);
      }
    }
  });

  test('comes with a page to try it', async () => {
    const { app } = await stage();
    const response = await app.inject('/docs/');
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, expect.stringContaining('text/html')]);
  });
});
