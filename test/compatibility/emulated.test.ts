import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { DocumentReader, isRefused } from '../../control-plane/contract/documents.ts';
import { Report } from '../../control-plane/contract/report.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { controlPlanePaths } from '../contract/control-plane-side.ts';
import { WasmModule } from '../filter/host/module.ts';
import { degraded, expectClean, feature, type Json, type Scene, scene } from '../filter/stream/scene.ts';
import { OLDER, OLDER_MODULE, RECORDED } from './replay.ts';

afterEach(expectClean);

const reports = new DocumentReader(Report);
const older = WasmModule.fromFile(OLDER_MODULE);
const vector = (name: string): Json =>
  (JSON.parse(readFileSync(join(projectRoot, 'test/contract/vectors', `${name}.json`), 'utf8')) as { input: Json }).input;

/** A proxy with the older module that waits for its first directive. */
function olderProxy(): Scene {
  return scene({ module: older, connected: true, policy: null });
}

test.for(['directive.whole', 'directive.tombstone'])(`a filter of ${OLDER} takes today's %s`, (name) => {
  const it = olderProxy();
  it.fleet.watchScript.push((call) => call.respond({ body: JSON.stringify(vector(name)) }));
  it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog')] } });
  it.advance(1000);
  expect(it.warnings.filter((line) => line.includes('refused'))).toEqual([]);
});

test(`a filter of ${OLDER} refuses what today's refuses, and keeps the last good one`, () => {
  const it = olderProxy();
  it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog', { fallback: [{ static: { status: 200 } }] })] } });
  it.advance(1000);
  it.fleet.watchScript.push((call) => call.respond({ body: JSON.stringify(vector('directive.wrong')) }));
  it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
  it.advance(3000);
  expect(degraded(it.good('/catalog'))?.reason).toBe('disabled');
});

test(`today's control plane takes the reports of a filter of ${OLDER}, which takes today's replies`, () => {
  const it = olderProxy();
  it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog')] } });
  it.advance(1000);
  it.fleet.reportScript.push((call) => call.respond({ body: JSON.stringify(vector('report-reply.whole')) }));
  it.trip('/catalog');
  it.advance(3000);
  expect(it.fleet.reports.length).toBeGreaterThan(1);
  for (const { atMs: _, service: __, ...report } of it.fleet.reports) {
    expect(report.version).toBe(OLDER);
    expect(isRefused(reports.read(report))).toBe(false);
  }
});

test.for(RECORDED.revisions.map(({ revision, flag, directive, replies }) => ({ revision, flag, directive, replies })))(
  `what a control plane of ${OLDER} said at revision $revision ($flag) is as today's contract has it`,
  ({ directive, replies }) => {
    expect(controlPlanePaths('directive', JSON.parse(directive))).toEqual([]);
    for (const reply of replies) expect(controlPlanePaths('report-reply', JSON.parse(reply))).toEqual([]);
  },
);
