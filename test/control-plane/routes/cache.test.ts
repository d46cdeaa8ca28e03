import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../control-plane/contract/limits.ts';
import type { Store } from '../../../control-plane/store/store.ts';
import { policyDraft, putPolicy, type Stage, type StageOptions, stage } from '../fleet/stage.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const url = (key = KEY, query = '', service = 'shop') => `/v1/services/${service}/cache/${key}${query}`;
const BYTES = Buffer.from(Array.from({ length: 600 }, (_, i) => i & 0xff));
const sum = (bytes: Uint8Array) => crc32(bytes).toString(16).padStart(8, '0');

interface Put {
  readonly url?: string;
  readonly payload?: Buffer;
  readonly headers?: Record<string, string>;
}

const put = ({ app }: Stage, { url: to = url(), payload = BYTES, headers = {} }: Put = {}) =>
  app.inject({
    method: 'PUT',
    url: to,
    payload,
    headers: { 'content-type': 'application/octet-stream', 'rekindle-crc32': sum(payload), ...headers },
  });
const get = ({ app }: Stage, from = url()) => app.inject({ method: 'GET', url: from });

/** The store with another verb in place of its own. */
function instead<V extends 'getCopy' | 'putCopy'>(verb: V, other: (store: Store, ...given: Parameters<Store[V]>) => ReturnType<Store[V]>) {
  return (store: Store): Store =>
    new Proxy(store, {
      get: (target, name) => {
        if (name === verb) return (...given: Parameters<Store[V]>) => other(target, ...given);
        const member = Reflect.get(target, name) as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
}

async function withShop(options: StageOptions = {}): Promise<Stage> {
  const control = await stage(options);
  await putPolicy(control, policyDraft('shop', 'catalog'));
  return control;
}

describe('a shared copy', () => {
  test('comes back byte for byte, with the time that it was here', async () => {
    const control = await withShop();
    expect((await put(control)).statusCode).toBe(204);
    control.time.nowMs += 2001;
    const response = await get(control);
    expect([...response.rawPayload]).toEqual([...BYTES]);
    expect(response.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '600',
      age: '3',
      'cache-control': 'no-store',
      'rekindle-crc32': sum(BYTES),
    });
  });

  test('outlives the process, and its age counts on', async () => {
    const control = await withShop();
    await put(control);
    control.time.nowMs += 5000;
    const next = await control.restart();
    expect((await get(next)).headers['age']).toBe('5');
  });

  test('is a miss before it was put, after it expired, and under another service', async () => {
    const control = await withShop();
    await putPolicy(control, policyDraft('other', 'catalog'));
    const miss = { status: 404, code: 'REKINDLE_COPY_UNKNOWN' };
    expect((await get(control)).json()).toMatchObject(miss);
    await put(control, { url: url(KEY, '?ttlMs=5000') });
    expect((await get(control, url(KEY, '', 'other'))).json()).toMatchObject(miss);
    control.time.nowMs += 4999;
    expect((await get(control)).statusCode).toBe(200);
    control.time.nowMs += 1;
    expect((await get(control)).json()).toMatchObject(miss);
  });

  test('is kept for an hour when nobody says how long', async () => {
    const control = await withShop();
    await put(control);
    control.time.nowMs += 3_599_999;
    expect((await get(control)).statusCode).toBe(200);
    control.time.nowMs += 1;
    expect((await get(control)).statusCode).toBe(404);
  });

  test('that was damaged on disk is a miss', async () => {
    const control = await withShop({
      around: instead('getCopy', async (store, ...given) => {
        const copy = (await store.getCopy(...given))!;
        return { ...copy, bytes: Buffer.concat([copy.bytes.subarray(1), Buffer.from('x')]) };
      }),
    });
    await put(control);
    expect((await get(control)).statusCode).toBe(404);
    const metrics = (await control.app.inject('/metrics')).body;
    expect(metrics).toContain('rekindle_shared_copies_total{service="shop",result="damaged"} 1');
  });

  test('that the disk does not take is told so', async () => {
    const control = await withShop({ around: instead('putCopy', async () => Promise.reject(new Error('no space left'))) });
    const response = await put(control);
    expect([response.statusCode, response.headers['retry-after'], response.json().code]).toEqual([503, '1', 'REKINDLE_STORE_FAILED']);
  });

  test('of the largest size is taken, a byte more is not', async () => {
    const control = await withShop();
    const largest = Buffer.alloc(LIMITS.copyBytes, 7);
    expect((await put(control, { payload: largest })).statusCode).toBe(204);
    expect((await get(control)).rawPayload.length).toBe(LIMITS.copyBytes);
    const refused = await put(control, { payload: Buffer.alloc(LIMITS.copyBytes + 1) });
    expect(refused.json()).toMatchObject({ status: 413, code: 'REKINDLE_BODY_TOO_LARGE' });
  });

  test('gives way to later ones when the room of the service is used up', async () => {
    const control = await withShop({ copyBudgetBytes: 3000 });
    const key = (n: number) => String(n).repeat(32);
    for (let n = 1; n <= 4; n++) {
      control.time.nowMs += 1;
      await put(control, { url: url(key(n)) });
    }
    const codes = await Promise.all([1, 2, 3, 4].map(async (n) => (await get(control, url(key(n)))).statusCode));
    expect(codes).toEqual([404, 200, 200, 200]);
  });
});

describe('refused', () => {
  const rows: { name: string; given: Put; status: number; says: RegExp }[] = [
    { name: 'a service without a policy', given: { url: url(KEY, '', 'unknown') }, status: 404, says: /REKINDLE_SERVICE_UNKNOWN/ },
    { name: 'a key that is too short', given: { url: url(KEY.slice(1)) }, status: 400, says: /params\.key/ },
    { name: 'a key in capitals', given: { url: url(KEY.toUpperCase()) }, status: 400, says: /params\.key/ },
    { name: 'a key that is a path', given: { url: url('..%2f..%2f..%2fetc%2fpasswd') }, status: 400, says: /params\.key/ },
    { name: 'no time at all', given: { url: url(KEY, '?ttlMs=0') }, status: 400, says: /query\.ttlMs/ },
    { name: 'more than seven days', given: { url: url(KEY, '?ttlMs=604800001') }, status: 400, says: /query\.ttlMs/ },
    { name: 'a time that is no number', given: { url: url(KEY, '?ttlMs=soon') }, status: 400, says: /query\.ttlMs/ },
    { name: 'another parameter', given: { url: url(KEY, '?ttl=5') }, status: 400, says: /query\.ttl/ },
    {
      name: 'a checksum of something else',
      given: { headers: { 'rekindle-crc32': '00000000' } },
      status: 422,
      says: /REKINDLE_COPY_DAMAGED/,
    },
    { name: 'a checksum that is none', given: { headers: { 'rekindle-crc32': 'crc' } }, status: 400, says: /rekindle-crc32/ },
    { name: 'JSON', given: { headers: { 'content-type': 'application/json' } }, status: 400, says: /REKINDLE_/ },
    {
      name: 'another media type',
      given: { headers: { 'content-type': 'image/png' } },
      status: 415,
      says: /REKINDLE_MEDIA_TYPE_UNSUPPORTED/,
    },
  ];
  test.for(rows)('$name: $status', async ({ given, status, says }) => {
    const control = await withShop();
    const response = await put(control, given);
    expect([response.statusCode, response.body]).toEqual([status, expect.stringMatching(says)]);
    expect((await get(control)).statusCode).toBe(404);
  });

  test('without a checksum: 400', async () => {
    const control = await withShop();
    const response = await control.app.inject({
      method: 'PUT',
      url: url(),
      payload: BYTES,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect([response.statusCode, response.body]).toEqual([400, expect.stringContaining('rekindle-crc32')]);
  });

  test('bytes where a document is wanted: 415', async () => {
    const { app } = await withShop();
    const response = await app.inject({
      method: 'POST',
      url: '/v1/services/shop/reports',
      payload: BYTES,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(response.statusCode).toBe(415);
  });

  test('a service whose policy was deleted: 404', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    await put(control);
    await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    expect([(await get(control)).statusCode, (await put(control)).statusCode]).toEqual([404, 404]);
  });
});
