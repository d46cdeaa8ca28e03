import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { type Rule, rulesOf } from '../../../scripts/metrics-page.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findPromtool } from '../../../scripts/servers.ts';
import { promqlProblem } from '../../docs/blocks/promql.ts';
import { readPage } from '../../docs/markdown.ts';
import { ALERT_CASES, type AlertCase, type Input } from './alert-cases.ts';

const folder = join(projectRoot, 'envoy/prometheus');
const files = (await readdir(folder)).filter((name) => name.endsWith('.rules.yaml')).map((name) => join(folder, name));
const alerts = rulesOf('alerts');
const runbooks = readPage('docs/runbooks.md').anchors;

async function promtool(...args: string[]): Promise<string> {
  const { path } = await findPromtool();
  const { stdout, stderr } = await promisify(execFile)(path, args).catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

test('promtool finds no fault with the rules', async () => {
  const said = await promtool('check', 'rules', '--lint=all', '--lint-fatal', ...files);
  expect(said.match(/SUCCESS/g)).toHaveLength(files.length);
});

test('every alert has a case', () => {
  expect(alerts.map(({ alert }) => alert).sort()).toEqual(ALERT_CASES.map(({ alert }) => alert).sort());
});

test('every alert has a severity, a figure or a reason, and a section among the runbooks', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect(['critical', 'warning', 'info'], alert).toContain(labels?.severity);
    expect(runbooks.has(alert?.toLowerCase() ?? ''), `docs/runbooks.md has no section ${alert}`).toBe(true);
    expect(annotations?.runbook_url).toBe(`docs/runbooks.md#${alert?.toLowerCase()}`);
    expect(annotations?.summary.length, alert).toBeLessThan(90);
    expect(annotations?.description.length, alert).toBeGreaterThan(60);
  }
});

test('each rule asks for metrics and labels that there are', async () => {
  const recorded = rulesOf('recording').map(({ record }) => record ?? '');
  for (const { record, alert, expr } of [...rulesOf('recording'), ...alerts]) {
    const asked = recorded.reduce((rest, name) => rest.replaceAll(name, 'up'), expr);
    expect(await promqlProblem(asked), record ?? alert).toBeNull();
  }
});

test('each alert fires when it should, with its figures, and stays quiet when it should not', async () => {
  const place = await mkdtemp(join(tmpdir(), 'rekindle-rules-'));
  onTestFinished(() => rm(place, { recursive: true }));
  const tests = ALERT_CASES.flatMap((each) => [
    promtoolTest(each, each.fires, [expected(each)]),
    ...Object.values(each.quiet).map((input) => promtoolTest(each, input, [])),
  ]);
  await writeFile(join(place, 'alerts.yaml'), stringify({ rule_files: files, evaluation_interval: '1m', tests }));
  expect(await promtool('test', 'rules', join(place, 'alerts.yaml'))).toMatch(/^Unit Testing: .*\n\s+SUCCESS\s+$/);
});

function promtoolTest({ alert, at }: AlertCase, input: Input, exp_alerts: object[]): object {
  const input_series = Object.entries(input).map(([series, values]) => ({ series, values }));
  return { interval: '15s', input_series, alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts }] };
}

/** The alert as promtool must see it: its texts with the labels and the figure of the case. */
function expected({ alert, labels, figure = '' }: AlertCase): object {
  const rule = alerts.find((candidate) => candidate.alert === alert) as Rule;
  const written = (text: string): string =>
    text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '').replaceAll(/\{\{ \$value[^}]*\}\}/g, figure);
  const annotations = Object.entries(rule.annotations ?? {}).map(([name, text]) => [name, written(text)]);
  return { exp_labels: { severity: rule.labels?.severity, ...labels }, exp_annotations: Object.fromEntries(annotations) };
}
