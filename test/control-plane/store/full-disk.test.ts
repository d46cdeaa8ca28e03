import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Directive } from '../../../control-plane/contract/directive.ts';
import { buildMain, type Running, startMain } from '../fleet/built.ts';
import { policyDraft } from '../fleet/stage.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** No page of data fits into a file of this size, only the two that say where the data is. */
const META_PAGES_BYTES = 8192;

let main: string;
beforeAll(() => {
  main = buildMain();
});

/** The process cannot write beyond this size of a file: what it sees is a disk that is full. `unlimited`: there is room again. */
function limitFiles({ child }: Running, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`]);
}

test('a full disk refuses writes with a problem, keeps the state, and is over when there is room', async () => {
  const environment = { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') };
  let running = await startMain(main, environment);
  const call = (path: string, init?: RequestInit) => fetch(running.base + path, init);
  const put = (description: string) =>
    call('/v1/policies/shop', {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...(etag === '' ? {} : { 'if-match': etag }) },
      body: JSON.stringify(policyDraft('shop', { name: 'catalog', description })),
    });
  const directive = async () => (await (await call('/v1/services/shop/directive')).json()) as Directive;

  let etag = '';
  let confirmed = 0;
  const write = async () => {
    const answer = await put(`${confirmed + 1}`.padEnd(1000, '.'));
    if (answer.ok) {
      confirmed++;
      etag = answer.headers.get('etag')!;
    }
    return answer;
  };
  expect((await write()).status).toBe(201);
  limitFiles(running, META_PAGES_BYTES);

  const refused = await write();
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'REKINDLE_STORE_FAILED' });
  const before = await directive();
  expect(before.policyRevision).toBe(confirmed);
  const degraded = await call('/readyz');
  expect(degraded.status).toBe(200); // filters are served all the same
  expect(await degraded.json()).toMatchObject({
    status: 'degraded',
    parts: { store: { ok: false, detail: expect.stringContaining('cannot write to its disk') } },
  });
  expect((await call('/livez')).status).toBe(200);

  limitFiles(running, 'unlimited');
  await expect.poll(async () => ((await (await call('/readyz')).json()) as { status: string }).status).toBe('ready');
  expect((await write()).status).toBe(200);
  const after = await directive();
  expect(after.policyRevision).toBe(before.policyRevision + 1);
  await running.end('SIGKILL');
  running = await startMain(main, environment);
  expect(await directive()).toEqual(after);
});
