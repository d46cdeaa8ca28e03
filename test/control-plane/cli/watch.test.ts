import { expect, test } from 'vitest';
import { ApiClient } from '../../../control-plane/cli/api/client.ts';
import { Output } from '../../../control-plane/cli/output/output.ts';
import { watchRecovery } from '../../../control-plane/cli/watch-recovery.ts';
import type { RecoveryView } from '../../../control-plane/contract/rest/recoveries.ts';
import { fakeServer } from './fake-server.ts';

type Entry = RecoveryView['timeline'][number];

const entry = (atMs: number, event: string): Entry => ({ atMs, event, feature: 'a', reason: { because: 'x' } });
const recovery = (timeline: Entry[], result: RecoveryView['result'] = null) => ({
  ...{ id: 'r1', service: 's', startedAtMs: 0, endedAtMs: result && 61_000, startedBy: 'fleet', result },
  ...{ plan: [['a']], pausedMs: 0, interventions: 0, pauses: [], timeline },
});

/** A watch over a control plane that gives these answers, one a look; null: it breaks the connection. */
async function watched(...answers: (ReturnType<typeof recovery> | null)[]) {
  const { url } = await fakeServer((request, response) => {
    if (request.url?.endsWith('/features')) return response.end('{"items":[]}');
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer ? response.end(JSON.stringify(answer)) : request.socket.destroy();
  });
  const said: string[] = [];
  const terminal = { out: (text: string) => said.push(text), err: () => undefined, columns: null, liveColumns: null, hasColour: false };
  const interrupted = new AbortController().signal;
  const api = new ApiClient({ base: new URL(`${url}/`), token: null, timeoutMs: 5000 }, interrupted, 'test');
  const cli = { api, out: new Output(terminal, 'table'), now: Date.now, interrupted, endWith: () => undefined };
  return { code: await watchRecovery(cli, 's', 'r1', null), said };
}

test.for([
  ['recovered', 0],
  ['recovered-locally', 0],
  ['aborted', 1],
  ['superseded', 1],
] as const)('a recovery that ended as %s ends its watch with %d', async ([result, code]) => {
  expect(await watched(recovery([], result))).toEqual({ code, said: [`r1 ended: ${result} after 1m1s\n`] });
});

test('entries are told once, while old ones are dropped from the timeline and the control plane is away', async () => {
  const [one, two, three, four] = [1, 2, 3, 4].map((at) => entry(at * 1000, `e${at}`));
  const { code, said } = await watched(recovery([one!, two!]), null, null, null, null, recovery([two!, three!, four!], 'recovered'));
  expect(said.map((line) => line.split('  ')[2] ?? 'end')).toEqual(['e1', 'e2', 'e3', 'e4', 'end']);
  expect(code).toBe(0);
});
