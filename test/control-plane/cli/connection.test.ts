import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { projectRoot } from '../../../scripts/project-root.ts';
import { policyDraft } from '../fleet/stage.ts';
import { fakeServer } from './fake-server.ts';
import { cliStage, newService } from './stage.ts';

const SECRET = 'the-admins-secret-of-more-than-32-characters';
const stage = cliStage();
const admin = { REKINDLE_TOKEN: SECRET };

const problem = (status: number, code: string, more: object = {}) =>
  JSON.stringify({ type: 'urn:x', title: 'x', status, detail: 'it cannot', instance: '/', code, ...more });

test('nobody listens: 3, after some tries, with what to look at', async () => {
  const { code, err, out } = await stage.run(['get', 'services', '--url', 'http://127.0.0.1:9']);
  expect([code, out]).toEqual([3, '']);
  expect(err).toMatch(/^rekindle: the control plane at http:\/\/127\.0\.0\.1:9 cannot be reached: .*\nhint: is the URL right/);
});

test('no answer in time, an answer of somebody else, and a redirect: 3', async () => {
  const silent = await fakeServer(() => undefined);
  const stranger = await fakeServer((_, response) => response.writeHead(200).end('<html>'));
  const login = await fakeServer((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end());
  const [late, other, moved] = await Promise.all([
    stage.run(['get', 'services', '--url', silent.url, '--timeout', '300ms']),
    stage.run(['get', 'services', '--url', stranger.url]),
    stage.run(['get', 'services', '--url', login.url]),
  ]);
  expect([late.code, late.err]).toEqual([3, expect.stringContaining('it did not answer within 300 ms')]);
  expect([other.code, other.err]).toEqual([3, expect.stringContaining('not as a control plane of Rekindle does')]);
  expect([moved.code, moved.err]).toEqual([3, expect.stringContaining('answered 302')]);
});

test.each([
  ['null', ['get', 'services']],
  ['[]', ['why', 's', 'a']],
  ['"x"', ['status']],
  ['{}', ['get', 'recoveries', 's']],
  ['{"items":"no","next":null}', ['get', 'services']],
  ['{"items":[],"next":"for ever"}', ['token', 'list']],
  ['{"code":"x","detail":{},"errors":1}', ['get', 'services']],
] as const)('JSON of somebody else is no answer: %s', async (text, args) => {
  const { url } = await fakeServer((_, response) => response.writeHead(text.includes('code') ? 400 : 200).end(text));
  const { code, out, err } = await stage.run([...args, '--url', url]);
  expect([code, out, err]).toEqual([3, '', expect.stringContaining('not as a control plane of Rekindle does')]);
});

test('what passes is tried again, a change with one key for all its tries', async () => {
  const keys: unknown[] = [];
  const busy = await fakeServer((request, response) => {
    keys.push(request.headers['idempotency-key']);
    const isFirst = keys.length === 1;
    response.writeHead(isFirst ? 503 : 201, isFirst ? { 'retry-after': '0' } : {});
    response.end(isFirst ? problem(503, 'REKINDLE_STORE_FAILED') : JSON.stringify({ id: 'r1', service: 's', plan: [['a']] }));
  });
  const { code, out } = await stage.run(['recover', 'start', 's', '-r', 'x', '--url', busy.url]);
  expect([code, out]).toEqual([0, 'the recovery r1 of s runs: a\n']);
  expect(keys).toEqual([keys[0], keys[0]]);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
});

test('a problem of the server: 1, with its code, each place and reason', async () => {
  const errors = [{ path: 'features[0].name', reason: 'is taken' }];
  const { url } = await fakeServer((_, response) => response.writeHead(500).end(problem(500, 'REKINDLE_INTERNAL', { errors })));
  const { code, err } = await stage.run(['get', 'services', '--url', url]);
  expect([code, err]).toEqual([1, 'rekindle: it cannot [REKINDLE_INTERNAL]\n  features[0].name: is taken\n']);
});

test('a policy that changed between reading and writing: nothing is written, and it says what changed', async () => {
  const texts = [
    { service: 's', mode: 'enforce' },
    { service: 's', mode: 'shadow' },
  ];
  const methods: unknown[] = [];
  const { url } = await fakeServer((request, response) => {
    methods.push(`${request.method} ${request.headers['if-match']}`);
    const isWrite = request.method === 'PUT';
    response.writeHead(isWrite ? 412 : 200, { etag: '"1-a"' });
    response.end(isWrite ? problem(412, 'REKINDLE_PRECONDITION_FAILED') : JSON.stringify(texts.shift()));
  });
  const file = stage.file('raced.yaml', policyDraft('s', 'a'));
  const { code, err } = await stage.run(['apply', file, '--url', url]);
  expect(methods).toEqual(['GET undefined', 'PUT "1-a"', 'GET undefined']);
  expect([code, err]).toEqual([1, expect.stringContaining('changed meanwhile; nothing was written\n  ~ mode: "enforce" → "shadow"\n')]);
});

test('all pages are read', async () => {
  await Promise.all(Array.from({ length: 205 }, (_, index) => newService(stage, `page-${index}`, 'a')));
  const { out } = await stage.run(['get', 'policies', '-o', 'json']);
  expect(JSON.parse(out)).toHaveLength(205);
});

test('a reader that goes away is no error', async () => {
  const script = join(projectRoot, 'dist/control-plane/cli/main.js');
  const env = { PATH: process.env['PATH'], REKINDLE_URL: stage.url };
  const command = `set -o pipefail; ${process.execPath} ${script} get policies -o json | head -c 1`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', command], { env });
  expect([stdout, stderr]).toEqual(['[', '']);
});

test.for([
  ['a URL of another kind', ['--url', 'ftp://x', 'status'], 'must start with http'],
  ['a secret in the URL', ['--url', 'http://me:geheim@127.0.0.1', 'status'], 'must not hold a secret'],
  ['a secret in the arguments', ['status', '--token=geheim'], 'use REKINDLE_TOKEN or --token-file'],
  ['a token file that is not there', ['status', '--token-file', 'none'], 'cannot be read'],
  ['an unknown command', ['statsu'], "unknown command 'statsu'"],
  ['an unknown format', ['status', '-o', 'xml'], 'Allowed choices are table, json, yaml'],
] as const)('usage: %s', async ([, args, says]) => {
  const { code, out, err } = await stage.run(args);
  expect([code, out, err]).toEqual([2, '', expect.stringContaining(says)]);
  expect(err).not.toContain('geheim');
});

// From here on the control plane asks for tokens.
test('a token is created with its secret shown once or put into a file, listed, used and revoked', async () => {
  const first = await stage.run(['token', 'create', 'alice', '--scope', 'admin', '--to-file', 'alice.token']);
  expect([first.code, first.out]).toEqual([
    0,
    expect.stringMatching(/^the token [0-9a-f]{12} of alice, scope admin, is in alice\.token\n$/),
  ]);
  const path = join(stage.folder, 'alice.token');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const secret = readFileSync(path, 'utf8').trim();
  const env = { REKINDLE_TOKEN: secret };
  const [reader, again, stranger, none] = await Promise.all([
    stage.run(['token', 'create', 'bob', '--scope', 'read'], { env }),
    stage.run(['token', 'create', 'eve', '--scope', 'read', '--to-file', 'alice.token'], { env }),
    stage.run(['get', 'services'], { env: admin }),
    stage.run(['get', 'services']),
  ]);
  expect(reader.out.trim()).not.toBe('');
  expect(reader.err).toContain('its secret is not shown again');
  expect([again.code, again.err]).toEqual([2, expect.stringContaining('cannot be written as a new file')]);
  expect([stranger.code, stranger.err]).toEqual([1, expect.stringMatching(/\[REKINDLE_TOKEN_INVALID\]\nhint: check REKINDLE_TOKEN/)]);
  expect([none.code, none.err]).toEqual([1, expect.stringMatching(/\[REKINDLE_TOKEN_REQUIRED\]\nhint: set REKINDLE_TOKEN/)]);
  const scoped = await stage.run(['recover', 'start', 'page-1', '-r', 'x'], { env: { REKINDLE_TOKEN: reader.out.trim() } });
  expect([scoped.code, scoped.err]).toEqual([1, expect.stringContaining('[REKINDLE_SCOPE_MISSING]')]);
  const list = await stage.run(['token', 'list', '--token-file', 'alice.token']);
  expect(list.out).toMatch(/^ID .*\n[0-9a-f]{12} +alice +admin +- +anonymous .*\n[0-9a-f]{12} +bob +read +- +alice .*\n$/);
  const revoked = await stage.run(['token', 'revoke', 'bob'], { env });
  expect([revoked.code, revoked.out]).toEqual([0, expect.stringMatching(/^the token [0-9a-f]{12} of bob is revoked\n$/)]);
  const last = await stage.run(['token', 'revoke', 'alice'], { env });
  expect([last.code, last.err]).toEqual([1, expect.stringContaining('(last-admin-token)')]);
  for (const { out, err } of [first, stranger, list, revoked]) expect(out + err).not.toContain(secret);
});
