import { expect, test } from 'vitest';
import { policyDraft } from '../fleet/stage.ts';
import { cliStage, newService } from './stage.ts';

const stage = cliStage();
/** A service with a recovery that waits for traffic which never comes: its catalog was forced open, and is no longer. */
async function recovering(service: string): Promise<void> {
  await newService(stage, service);
  const path = `/v1/services/${service}/features/catalog/override`;
  await stage.ask('PUT', path, { kind: 'FORCED_OPEN', reason: 'test', expiresInMs: 60_000 }, { 'if-none-match': '*' });
  await stage.ask('DELETE', path, undefined, { 'if-match': '*' });
}

const json = (text: string) => JSON.parse(text);

test('an override is set with a reason and an end, not put over another by chance, listed and ended', async () => {
  await newService(stage, 'forced');
  const set = ['override', 'set', 'forced', 'catalog'];
  const dry = await stage.run([...set, 'FORCED_OPEN', '-r', 'vendor', '--dry-run']);
  expect(dry).toMatchObject({ code: 0, out: 'forced/catalog would be FORCED_OPEN\n' });
  const first = await stage.run([...set, 'HOLD', '--admit', '12.5%', '--reason', 'vendor 復旧 👩‍🔧', '--for', '2h']);
  expect(first.out).toMatch(/^forced\/catalog is now TESTING 12\.5%: HOLD by anonymous, ends \S+Z \(in 2h\): vendor 復旧 👩‍🔧\n$/);
  const second = await stage.run([...set, 'FORCED_OPEN', '-r', 'mine']);
  expect([second.code, second.err]).toEqual([
    1,
    expect.stringMatching(/is overridden already\n {2}HOLD by anonymous.*\nhint: say --replace/),
  ]);
  const [replaced, list, features] = [
    await stage.run([...set, 'FORCED_OPEN', '-r', 'mine', '--for', 'never', '--replace', '-o', 'json']),
    await stage.run(['override', 'list', '-o', 'json']),
    await stage.run(['features', 'forced']),
  ];
  expect(json(replaced.out)).toMatchObject({ state: 'DISABLED', override: { reason: 'mine', expiresAtMs: null } });
  expect(json(list.out)).toMatchObject([{ service: 'forced', feature: 'catalog', kind: 'FORCED_OPEN' }]);
  expect(features.out.split('\n')[1]).toMatch(/^catalog +DISABLED +0% +UNKNOWN +.*FORCED_OPEN by anonymous: mine$/);
  expect((await stage.run(['override', 'end', 'forced', 'catalog', '-r', 'over'])).out).toMatch(/^the override of forced\/catalog ended/);
  const again = await stage.run(['override', 'end', 'forced', 'catalog']);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('nobody overrides forced/catalog [REKINDLE_OVERRIDE_UNKNOWN]')]);
});

test.for([
  ['a share with FORCED_OPEN', ['override', 'set', 's', 'f', 'FORCED_OPEN', '-r', 'x', '--admit', '5%'], '--admit belongs to HOLD'],
  ['no reason', ['override', 'set', 's', 'f', 'FORCED_OPEN'], "required option '-r, --reason <text>'"],
  ['no duration', ['override', 'set', 's', 'f', 'HOLD', '-r', 'x', '--for', 'long'], 'such as 90s, 15m'],
  ['a service that is missing', ['get', 'proxies'], '`get proxies` needs the name of a service'],
] as const)('usage: %s', async ([, args, says]) => {
  const { code, err } = await stage.run(args);
  expect([code, err]).toEqual([2, expect.stringContaining(says)]);
});

test('people pause, resume, promote and abort the recovery that runs, whatever they do not know of its id', async () => {
  await recovering('stepped');
  const paused = await stage.run(['recover', 'pause', 'stepped', '-r', 'wait', '--for', '15m']);
  expect(paused).toMatchObject({ code: 0, out: expect.stringMatching(/^pause of \S+, for 15m at most: 1 intervention so far\n$/) });
  const refused = await stage.run(['recover', 'promote', 'stepped', '-r', 'go']);
  expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/\(paused\) \[REKINDLE_REFUSED\]\nhint: .*recover resume/)]);
  expect((await stage.run(['recover', 'resume', 'stepped', '-r', 'go'])).code).toBe(0);
  const aborted = await stage.run(['recover', 'abort', 'stepped', '-r', 'enough', '-o', 'json']);
  expect(json(aborted.out)).toMatchObject({ result: 'aborted', pauses: [{ reason: 'wait' }] });
  const [none, list] = await Promise.all([stage.run(['recover', 'watch', 'stepped']), stage.run(['get', 'recoveries', 'stepped'])]);
  expect([none.code, none.err]).toEqual([1, expect.stringMatching(/no recovery of stepped runs\n {2}the last one, \S+, ended: aborted/)]);
  expect(list.out).toMatch(/\n\S+ .* aborted +catalog\n$/);
});

test('a watch tells each entry of the timeline once, and ends with the recovery and its result', async () => {
  await recovering('watched');
  const watch = stage.start(['recover', 'watch', 'watched', '-o', 'json']);
  await expect.poll(watch.seen, { timeout: 15_000 }).toContain('recovery-started');
  await stage.run(['recover', 'pause', 'watched', '-r', 'wait']);
  await stage.run(['recover', 'abort', 'watched', '-r', 'enough']);
  const { code, out } = await watch.ended;
  const events = out.trim().split('\n').map(json);
  expect(events.map(({ event }) => event).filter((event) => /recovery|paused/.test(event))).toEqual([
    'recovery-started',
    'paused',
    'recovery-ended',
  ]);
  expect(events.at(-1)).toMatchObject({ result: 'aborted', interventions: 1 });
  expect(code).toBe(1);
});

test('a watch gives up when it is told to, and ends with the codes of Ctrl-C and SIGTERM', async () => {
  await recovering('left');
  const watch = stage.start(['recover', 'watch', 'left']);
  const late = await stage.run(['recover', 'watch', 'left', '--within', '1s']);
  expect([late.code, late.err]).toEqual([1, expect.stringContaining('has not ended within 1s')]);
  await expect.poll(watch.seen, { timeout: 15_000 }).toContain('recovery-started');
  watch.kill('SIGINT');
  expect(await watch.ended).toMatchObject({ code: 130, err: '' });
  const stopped = stage.start(['recover', 'watch', 'left']);
  await expect.poll(stopped.seen, { timeout: 15_000 }).toContain('recovery-started');
  stopped.kill('SIGTERM');
  expect(await stopped.ended).toMatchObject({ code: 143, err: '' });
});

test('why tells what made a feature as it is, what holds it, and its last changes', async () => {
  await recovering('asked');
  const { out, code } = await stage.run(['why', 'asked', 'catalog']);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^catalog is DISABLED[\s\S]*\nbecause\n {2}flag: [\s\S]*\nholds\n {2}recovery: [\s\S]*\nlast changes\n {2}WHEN +WHO +WHAT/,
  );
});

test('status shows what is not as usual; features and services are shown as tables and as data', async () => {
  await recovering('seen');
  const [text, data, services, audit] = await Promise.all([
    stage.run(['status']),
    stage.run(['status', '-o', 'yaml']),
    stage.run(['get', 'services', '-o', 'json']),
    stage.run(['get', 'audit', 'seen', '--kind', 'flag-changed', '--since', '1h', '-o', 'json']),
  ]);
  expect(text.out).toMatch(/^control plane at http:\S+: ready \(alone\)\n {2}store: /);
  expect(text.out).toMatch(/\nseen +catalog +DISABLED +0% /);
  expect(text.out).not.toMatch(/\nseen +checkout/);
  expect(data.out).toContain('  status: ready\n');
  expect(json(services.out).map(({ service }: { service: string }) => service)).toContain('seen');
  expect(json(audit.out)[0]).toMatchObject({ feature: 'catalog', action: 'flag-changed' });
});

test('a policy goes back to the revision before, or to one that is named', async () => {
  await newService(stage, 'back', 'a');
  const file = stage.file('back.yaml', { ...policyDraft('back', 'a'), mode: 'shadow' });
  await stage.run(['apply', file]);
  const dry = await stage.run(['rollback', 'back', '-r', 'trips too early', '--dry-run']);
  expect(dry.out).toBe('to revision 1:\nback would be changed\n  ~ mode: "shadow" → "enforce"\n');
  const done = await stage.run(['rollback', 'back', '1', '-r', 'trips too early']);
  expect(done.out).toBe('back at revision 1:\nback changed\n  ~ mode: "shadow" → "enforce"\n');
  const [history, old, unknown] = await Promise.all([
    stage.run(['history', 'back']),
    stage.run(['history', 'back', '2']),
    stage.run(['rollback', 'back', '99', '-r', 'x']),
  ]);
  expect(history.out).toMatch(/^REVISION .*\n3 \(holds now\) .*enforce +a\n2 .*shadow +a\n1 .*enforce +a\n$/);
  expect(old.out).toContain('mode: shadow');
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('[REKINDLE_REVISION_UNKNOWN]')]);
});

test('simulate says of each feature when it would have tripped', async () => {
  await newService(stage, 'draft', 'a');
  const file = stage.file('draft.yaml', policyDraft('draft', 'a'));
  const { code, out } = await stage.run(['simulate', file, '--since', '10m']);
  expect(out).toMatch(/^draft from \S+Z to \S+Z, all proxies as one\nFEATURE +REPLAYED +FIRST TRIP .*\na +0 +none /);
  const stranger = await stage.run(['simulate', file, '--node', 'nobody']);
  expect([code, stranger.code, stranger.err]).toEqual([0, 1, expect.stringContaining('[REKINDLE_PROXY_UNKNOWN]')]);
});
