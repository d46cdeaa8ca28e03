import { afterEach, describe, expect, test } from 'vitest';
import type { RequestInit } from '../host/proxy.ts';
import { expectClean, feature, type Scene, scene } from './scene.ts';

afterEach(expectClean);

const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT';

/** A scene that holds a copy of `/catalog/1`, with or without validators. */
function withCopy(validators: Readonly<Record<string, string>> = { etag: '"7"', 'last-modified': MODIFIED }): Scene {
  const it = scene({ features: [feature('catalog', { fallback: [{ stale: {} }] })] });
  it.advance(200);
  const headers = { 'content-type': 'text/css', 'content-length': '4', 'cache-control': 'max-age=0', 'x-shop': 'a', ...validators };
  it.send({ path: '/catalog/1' }, { status: 200, headers, body: 'copy' });
  return it;
}

/** The answer to a request in both phases: its upstream fails, then it is refused. */
function bothPhases(it: Scene, request: RequestInit) {
  const failed = it.bad('/catalog/1', request).client;
  it.trip('/catalog');
  return [failed, it.proxy.request({ path: '/catalog/1', ...request }).client];
}

describe('a stale copy for a conditional request', () => {
  test.for<{ name: string; headers: Record<string, string>; status: number; validators?: Record<string, string> }>([
    { name: 'the tag it has', headers: { 'if-none-match': '"7"' }, status: 304 },
    { name: 'one of its tags', headers: { 'if-none-match': '"a,b", W/"7"' }, status: 304 },
    { name: 'any', headers: { 'if-none-match': '*' }, status: 304 },
    { name: 'a weak tag of ours', headers: { 'if-none-match': '"7"' }, status: 304, validators: { etag: 'W/"7"' } },
    { name: 'another tag', headers: { 'if-none-match': '"8"' }, status: 200 },
    { name: 'another tag, though not modified since', headers: { 'if-none-match': '"8"', 'if-modified-since': LATER }, status: 200 },
    { name: 'not modified since', headers: { 'if-modified-since': MODIFIED }, status: 304 },
    { name: 'modified since', headers: { 'if-modified-since': EARLIER }, status: 200 },
    { name: 'since no date', headers: { 'if-modified-since': 'yesterday' }, status: 200 },
    { name: 'a copy without validators', headers: { 'if-none-match': '"7"', 'if-modified-since': LATER }, status: 200, validators: {} },
    { name: 'a tag, none stored', headers: { 'if-none-match': '""' }, status: 200, validators: {} },
    { name: 'conditions for the origin alone', headers: { 'if-match': '"8"', 'if-unmodified-since': EARLIER }, status: 200 },
    { name: 'more than is kept', headers: { 'if-none-match': `"${'x'.repeat(5000)}", "7"` }, status: 200 },
  ])('$name: $status', ({ headers, status, validators }) => {
    for (const client of bothPhases(withCopy(validators), { headers })) {
      expect(client).toMatchObject({ status, body: status === 304 ? '' : 'copy', ended: true });
      expect(client.header('age')).toBe('0');
      expect(client.header('cache-status')).toMatch(/^rekindle; /);
      expect(client.header('rekindle')).toMatch(/rung=stale/);
    }
  });

  test('a 304 keeps what describes the copy for the client, not what describes a body', () => {
    for (const client of bothPhases(withCopy(), { headers: { 'if-none-match': '"7"' } })) {
      const names = client.headers!.pairs.map(([name]) => name).sort();
      expect(names).toEqual([':status', 'age', 'cache-control', 'cache-status', 'etag', 'last-modified', 'rekindle', 'x-shop']);
    }
  });

  test('HEAD: the headers of the copy, or 304', () => {
    const it = withCopy();
    const head = (headers: Record<string, string>) => it.send({ path: '/catalog/1', method: 'HEAD', headers }, { status: 500 }).client;
    const whole = head({});
    expect([whole.status, whole.body, whole.header('content-length')]).toEqual([200, '', '4']);
    expect(head({ 'if-none-match': '"7"' })).toMatchObject({ status: 304, body: '', ended: true });
  });

  test('a range gets the whole copy', () => {
    for (const client of bothPhases(withCopy(), { headers: { range: 'bytes=0-1', 'if-range': '"7"' } })) {
      expect(client).toMatchObject({ status: 200, body: 'copy' });
      expect(client.header('content-range')).toBeUndefined();
    }
  });

  test('a condition of one request does not stick to the next on the same stream object', () => {
    const it = withCopy();
    expect(it.bad('/catalog/1', { headers: { 'if-none-match': '"7"' } }).client.status).toBe(304);
    expect(it.bad('/catalog/1').client.status).toBe(200);
  });
});
