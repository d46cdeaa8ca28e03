import { describe, expect, test } from 'vitest';
import { jsonProblem } from './blocks/json.ts';
import { promqlProblem } from './blocks/promql.ts';
import { yamlProblem } from './blocks/yaml.ts';
import { parsePage } from './markdown.ts';
import { difference } from './output.ts';
import { portsSwapper } from './session.ts';
import { missingFiles, runnable } from './unrun.ts';

describe('what a page must not say is found', () => {
  const rows: readonly { name: string; problem: () => Promise<string | null> | string | null; says: string }[] = [
    { name: 'a misspelt field of a policy', problem: () => yamlProblem('breakr: { openMs: 1 }'), says: 'no kind' },
    { name: 'a wrong value in an excerpt of a policy', problem: () => yamlProblem('breaker: { openMs: 1 }'), says: 'breaker.openMs' },
    { name: 'YAML that is none', problem: () => yamlProblem('a: [1'), says: 'Flow sequence' },
    { name: 'a token too short', problem: () => yamlProblem('tokens: [{ name: a, scope: admin, token: short }]'), says: 'token' },
    { name: 'a filter without its type', problem: () => yamlProblem('http_filters: [{ name: rekindle, typed_config: {} }]'), says: 'type' },
    {
      name: 'a plugin configuration that the filter refuses',
      problem: () => jsonProblem('{ "cache": { "entries": 0 } }'),
      says: 'entries',
    },
    { name: 'a problem that is not one of ours', problem: () => jsonProblem('{ "code": "REKINDLE_X", "status": 400 }'), says: 'no such' },
    { name: 'a metric that does not exist', problem: () => promqlProblem('rate(rekindle_request_total[5m])'), says: 'no metric' },
    { name: 'a label that does not exist', problem: () => promqlProblem('rekindle_governed{feature="a"}'), says: 'no label' },
    { name: 'an expression that Prometheus cannot read', problem: () => promqlProblem('sum(rekindle_governed'), says: 'unclosed' },
    {
      name: 'rules that Prometheus cannot read',
      problem: () => yamlProblem('groups: [{ name: a, rules: [{ expr: up }] }]'),
      says: 'record',
    },
    {
      name: 'a misspelt field of a Kubernetes object',
      problem: () => yamlProblem('{ apiVersion: v1, kind: Service, metadata: { name: a }, specs: {} }'),
      says: 'specs',
    },
    { name: 'another line', problem: () => difference('text', 'HTTP/1.1 200 OK\nage: …', 'HTTP/1.1 503 Service Unavailable'), says: '200' },
    { name: 'lines in another order', problem: () => difference('text', 'b\na', 'a\nb'), says: 'after' },
    { name: 'another value in JSON', problem: () => difference('json', '{"a":{"b":1}}', '{"a":{"b":2}}'), says: '/a/b' },
  ];
  test.for(rows)('$name', async ({ problem, says }) => {
    expect(await problem()).toContain(says);
  });
});

test('an output that is as shown, apart from what the page leaves open, is one', () => {
  expect(difference('text', 'age: …\n…\nend', 'first\nage:   17\nmore\nend')).toBeNull();
  expect(difference('json', '{"id":"rec-…","n":"…"}', 'HTTP line\n{"id":"rec-1","n":4,"more":true}')).toBeNull();
});

test('a page is read with its sections, anchors, links and blocks', () => {
  const page = parsePage('x.md', '# A `b` c!\nSee [d](e.md#f) and `[g](h)`.\n```sh\nls\n```\n\n```text\nout\n```\n## A b c\n');
  expect([...page.anchors]).toEqual(['a-b-c', 'a-b-c-1']);
  expect(page.links).toEqual(['e.md#f']);
  expect(page.blocks.map(({ kind, line, text, follows }) => ({ kind, line, text, follows }))).toEqual([
    { kind: 'sh', line: 4, text: 'ls', follows: false },
    { kind: 'text', line: 8, text: 'out', follows: true },
  ]);
});

test('commands that need a cluster are not run, but their files are looked for', () => {
  const text = 'kubectl apply -f envoy/missing.yaml \\\n  -f envoy/envoy.yaml\necho done\n';
  expect(runnable(text).trim()).toBe('echo done');
  expect(missingFiles(text)).toEqual(['envoy/missing.yaml']);
});

test('ports are exchanged where a text means ports, and back', () => {
  const { into, back } = portsSwapper(new Map([[10_000, 23_456]]));
  const said = 'curl http://127.0.0.1:10000/ # waits 10000 ms; port_value: 10000';
  expect(into(said)).toBe('curl http://127.0.0.1:23456/ # waits 10000 ms; port_value: 23456');
  expect(back(into(said))).toBe(said);
});
