import { describe, expect, test } from 'vitest';
import { flawOf } from '../../../control-plane/http/json-body.ts';
import { parseYaml } from '../../../control-plane/http/yaml-body.ts';
import { stage } from '../fleet/stage.ts';

test.for([
  { name: 'arrays', payload: `${'['.repeat(400_000)}${']'.repeat(400_000)}` },
  { name: 'objects', payload: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}` },
])('JSON of many nested $name is refused, also where its hash is asked for', async ({ payload }) => {
  const { app } = await stage();
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' };
  const response = await app.inject({ method: 'PUT', url: '/v1/policies/shop', headers, payload });
  expect(response.json()).toMatchObject({ status: 400, code: 'REKINDLE_BODY_MALFORMED', detail: expect.stringContaining('nested deeper') });
});

describe('a key that is there twice in one object', () => {
  test.for([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"x":[{"b":1},{"b":1,"c":{"b":2},"b":3}]}', 'b'],
    ['{"":1,"":2}', ''],
    ['{"a\\"":1,"a\\"":2}', 'a"'],
    ['{"a":"a","b":["a","a"],"c":{"a":"b"}}', null],
    ['["a","a"]', null],
    ['{"a":"{\\"a\\":1,\\"a\\":2}"}', null],
    ['"a"', null],
    ['{ "a" : { } , "b" : [ ] , "a" : 1 }', 'a'],
  ])('%s: %j', ([text, key]) => {
    const flaw = flawOf(text!);
    expect(flaw).toBe(key === null ? null : `the key ${JSON.stringify(key)} is there twice in one object`);
  });

  test('is refused, in JSON as in YAML', async () => {
    const { app } = await stage();
    for (const [type, payload] of [
      ['application/json', '{"service":"shop","service":"other","features":[]}'],
      ['application/yaml', 'service: shop\nservice: other\nfeatures: []\n'],
    ]) {
      const response = await app.inject({
        method: 'POST',
        url: '/v1/policies/validate',
        payload: payload!,
        headers: { 'content-type': type! },
      });
      expect(response.json()).toMatchObject({
        status: 400,
        code: 'REKINDLE_BODY_MALFORMED',
        detail: expect.stringMatching(/"service" is there twice/),
      });
    }
  });
});

describe('a YAML text that would take long to read is refused early', () => {
  const lines = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, index) => line(index)).join('\n');
  test.for([
    {
      name: 'many anchors and aliases',
      text: `${lines(60_000, (index) => `- &a${index} x`)}\n${lines(1000, (index) => `- *a${index}`)}`,
      says: 'words and signs',
    },
    {
      name: 'aliases of aliases',
      text: lines(9, (index) => `a${index}: &a${index} [${Array(9).fill(index === 0 ? 'x' : `*a${index - 1}`)}]`),
      says: 'values',
    },
    { name: 'many aliases', text: `- &a x\n${lines(1001, () => '- *a')}`, says: '1000 aliases' },
    { name: 'many words', text: lines(130_000, () => '- b'), says: 'words and signs' },
    { name: 'many faults', text: lines(100_000, () => '- }'), says: 'line 1' },
    { name: 'many open brackets', text: '['.repeat(100_000), says: 'nested deeper' },
  ])('$name', ({ text, says }) => {
    expect(() => parseYaml(text)).toThrow(says);
  });
});

test.for([
  { path: '/v1/policies', policy: "default-src 'none'" },
  { path: '/docs/', policy: "script-src 'self'" },
])('$path tells the browser what it may do', async ({ path, policy }) => {
  const { app } = await stage();
  const { headers } = await app.inject(path);
  expect(headers['content-security-policy']).toContain(policy);
  expect(headers['content-security-policy']).not.toContain('unsafe');
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
});

test('routes of filters send what keeps a browser from making a page of an answer, and no more', async () => {
  const { app } = await stage();
  const { headers } = await app.inject({ method: 'POST', path: '/v1/services/shop/reports' });
  expect(headers).toMatchObject({
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  });
  expect(headers).not.toHaveProperty('referrer-policy');
});
