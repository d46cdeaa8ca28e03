import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { policyDraft } from '../fleet/stage.ts';
import { cliStage, newService } from './stage.ts';

const stage = cliStage();

describe('lint', () => {
  test('names all problems of all documents at once, each with its place', async () => {
    const file = stage.file(
      'bad.yaml',
      `service: shop
features:
  - name: catalog
    routes:
      - path: { prefix: /catalog }
    breaker:
      openMs: fast   # a text
      breakr: 1
  - name: catalog
    priority: 0
    routes: [{ path: { prefix: /a } }]
---
service: other
governance: { staleAfterMs: 1000 }
features:
  - { name: a, routes: [{ path: { prefix: /a } }], dependsOn: [{ feature: b }] }
`,
    );
    const { code, out, err } = await stage.run(['lint', file]);
    expect(out.trim().split('\n')).toEqual([
      'bad.yaml:7:7: error: features[0].breaker.openMs: must be an integer, got "fast"',
      expect.stringContaining('bad.yaml:8:7: error: features[0].breaker.breakr: is not a known field'),
      'bad.yaml:9:5: error: features[1].name: is the name of features[0] too: catalog',
      'bad.yaml:10:5: error: features[1].priority: must be at least 1, got 0',
      'bad.yaml:14:1: error: governance.reportMs: must be at most a third of staleAfterMs (1000), got 1000',
      'bad.yaml:14:1: error: governance.quietReportMs: must be at most a third of staleAfterMs (1000), got 5000',
      'bad.yaml:16:66: error: features[0].dependsOn[0].feature: names no feature of this policy: b',
    ]);
    expect(err).toBe('1 file: 7 errors, 0 warnings\n');
    expect(code).toBe(1);
  });

  test('reads what the server reads: keys that are there twice, faults of the text, JSON, standard input', async () => {
    const twice = stage.file('twice.yaml', 'service: shop\nservice: shop\nfeatures: []\n');
    const nothing = stage.file('alias.yaml', 'a: &a 1\nb: *a\nc: *b\n');
    const torn = stage.file('torn.json', '{"service": "shop",\n "features": [}');
    const [one, two, three, sound] = await Promise.all([
      stage.run(['lint', twice, '-o', 'json']),
      stage.run(['lint', torn]),
      stage.run(['lint', nothing]),
      stage.run(['lint', '-'], { input: JSON.stringify(policyDraft('shop', 'catalog')) }),
    ]);
    expect(JSON.parse(one.out)).toEqual([
      { file: 'twice.yaml', line: 2, column: 1, severity: 'error', path: '', reason: 'the key "service" is there twice' },
    ]);
    expect(two.out).toMatch(/^torn\.json:2:\d+: error: /);
    expect(three.out).toBe('alias.yaml:3:4: error: no anchor before it is named b\n');
    expect([one.code, two.code, three.code, sound.code]).toEqual([1, 1, 1, 0]);
  });

  test('the configuration of the filter, with the policies in it', async () => {
    const policy = { ...policyDraft('shop', 'catalog'), features: [{ name: 'a', routes: [], fallback: [{}] }] };
    const file = stage.file('plugin.json', { services: [{ service: 'shop', policy }], fallbackCluster: [] });
    const { code, out } = await stage.run(['lint', file]);
    expect(out).toContain('services[0].policy.features[0].routes: must have at least 1 items, got 0');
    expect(out).toContain('fallbackCluster: is not a known field; did you mean fallbackClusters?');
    expect(code).toBe(1);
  });

  test.for([
    ['a file that is not there', ['lint', 'nowhere.yaml'], 'nowhere.yaml does not exist'],
    ['no file at all', ['lint'], 'missing required argument'],
  ] as const)('usage: %s', async ([, args, says]) => {
    const { code, err } = await stage.run(args);
    expect([code, err]).toEqual([2, expect.stringContaining(says)]);
  });
});

describe('apply', () => {
  test('creates, changes, and leaves alone, in one go over files and folders', async () => {
    stage.file('all/a.yaml', `# yaml-language-server: $schema=policy.schema.json\n${JSON.stringify(policyDraft('apply-a', 'x'))}`);
    stage.file('all/deep/b.json', policyDraft('apply-b', 'x'));
    stage.file('all/deployment.yaml', 'apiVersion: apps/v1\nkind: Deployment\n');
    const first = await stage.run(['apply', 'all']);
    expect(first).toMatchObject({ code: 0, out: 'apply-a created (all/a.yaml)\napply-b created (all/deep/b.json)\n' });
    expect(first.err).toBe('all/deployment.yaml:1 is left out: a manifest of Kubernetes, for kubectl\n');

    stage.file('all/a.yaml', { ...policyDraft('apply-a', 'x', 'y'), mode: 'shadow' });
    const dry = await stage.run(['apply', 'all', '--dry-run', '-o', 'json']);
    expect(JSON.parse(dry.out)).toMatchObject([
      { service: 'apply-a', result: 'changed', differences: [{ path: 'features[y]', kind: 'added' }, { path: 'mode' }] },
      { service: 'apply-b', result: 'unchanged', differences: [] },
    ]);
    const second = await stage.run(['apply', 'all']);
    expect(second.out).toMatch(/^apply-a changed \(all\/a\.yaml\)\n {2}\+ features\[y\]: \{.*\n {2}~ mode: "enforce" → "shadow"\n/);
    expect(second.out).toContain('apply-b unchanged');
    const versions = (await (await stage.ask('GET', '/v1/policies/apply-a/history')).json()) as { items: unknown[] };
    expect(versions.items).toHaveLength(2);
  });

  test('sends nothing unless all files are sound', async () => {
    stage.file('half/good.yaml', policyDraft('half-good', 'x'));
    stage.file('half/bad.yaml', { ...policyDraft('half-bad', 'x'), mode: 'maybe' });
    const { code, err } = await stage.run(['apply', 'half']);
    expect(code).toBe(1);
    expect(err).toContain('half/bad.yaml:1:');
    expect(err).toContain('mode: must be one of enforce, shadow, off, got "maybe"');
    expect((await stage.ask('GET', '/v1/policies/half-good')).status).toBe(404);
  });

  test('what the server refuses is told for each policy, and the others go through', async () => {
    await newService(stage, 'busy', 'a', 'b');
    const override = { kind: 'FORCED_OPEN', reason: 'test', expiresInMs: 60_000 };
    await stage.ask('PUT', '/v1/services/busy/features/b/override', override, { 'if-none-match': '*' });
    const busy = stage.file('busy.yaml', policyDraft('busy', 'a'));
    const other = stage.file('other.yaml', policyDraft('not-busy', 'a'));
    const refused = await stage.run(['apply', busy, other]);
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('not-busy created') });
    expect(refused.err).toMatch(
      /busy\.yaml: .*\(feature-overridden\) \[REKINDLE_REFUSED\]|busy\.yaml: .*\(feature-recovers\) \[REKINDLE_REFUSED\]/,
    );
    expect((await stage.run(['apply', busy, '--force'])).code).toBe(0);
  });
});

test('diff tells what apply would change, by names', async () => {
  await newService(stage, 'differs', 'a', 'b', 'c');
  const file = stage.file('differs.yaml', {
    ...policyDraft('differs', { name: 'c' }, { name: 'a', breaker: { openMs: 1000 } }, { name: 'd', renamedFrom: 'b' }),
  });
  const [text, json, same] = await Promise.all([
    stage.run(['diff', file, '--exit-code']),
    stage.run(['diff', file, '-o', 'json']),
    stage.run(['diff', '-', '--exit-code'], { input: JSON.stringify(policyDraft('differs', 'a', 'b', 'c')) }),
  ]);
  expect(text.out.split('\n')).toEqual([
    'differs would be changed (differs.yaml)',
    '  ~ features[a].breaker.openMs: 5000 → 1000',
    '  ~ features[d].name: "b" → "d"',
    '  ~ features[d].routes[0].path.prefix: "/b" → "/d"',
    '  + features[d].renamedFrom: "b"',
    '  ~ features (order): ["a","b","c"] → ["c","a","b"]',
    '',
  ]);
  expect([text.code, json.code, same.code]).toEqual([1, 0, 0]);
  expect(JSON.parse(json.out)[0].differences).toHaveLength(5);
});

test('get policy gives a file that can be applied as it is', async () => {
  await newService(stage, 'round-trip');
  const { out } = await stage.run(['get', 'policy', 'round-trip']);
  expect(parse(out)).toMatchObject({ service: 'round-trip', features: [{ name: 'catalog', breaker: { openMs: 5000 } }, {}] });
  expect(await stage.run(['apply', '-'], { input: out })).toMatchObject({ code: 0, out: 'round-trip unchanged ((standard input))\n' });
});
