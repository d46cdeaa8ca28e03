// Records what the control plane of an older checkout answers to a filter while an outage takes its course:
//   npm run build && node dist/test/compatibility/record.js <folder of a built checkout of that version>

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startChild } from '../../envoy/demo/child.ts';
import { putPolicy } from '../../envoy/demo/control-plane-process.ts';
import { listen } from '../../envoy/demo/http-server.ts';
import { startLoad } from '../../envoy/demo/load.ts';
import { freePort, freePorts } from '../../envoy/demo/ports.ts';
import { startStage } from '../../envoy/demo/stage.ts';
import { waitFor } from '../../envoy/demo/wait.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { DOWN, POLICY, RATES, type Recorded, type RecordedRevision } from './play.ts';

const checkout = resolve(process.argv[2] ?? projectRoot);
const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };

const revisions: (RecordedRevision & { replies: string[] })[] = [];
let unchanged: Record<string, string> = {};

/** Keeps an answer on its way to the filter. */
function keep(path: string, status: number, headers: Record<string, string>, body: string): void {
  if (path.includes('/directive') && status === 304) unchanged = headers;
  if (status !== 200) return;
  if (path.includes('/directive')) {
    const { lineage, revision, hash, flags } = JSON.parse(body) as Directive;
    if (revisions.some((known) => known.revision === revision)) return;
    const flag = flags.find(({ feature }) => feature === 'catalog');
    revisions.push({ lineage, revision, hash, flag: flag ? `${flag.state} ${flag.admit}` : 'ENABLED 10000', directive: body, replies: [] });
  } else if (path.includes('/reports')) {
    const replies = revisions.at(-1)?.replies;
    if (replies && !replies.some((known) => sense(known) === sense(body))) replies.push(body);
  }
}

interface Directive extends Pick<RecordedRevision, 'lineage' | 'revision' | 'hash'> {
  readonly flags: readonly { feature: string; state: string; admit: number }[];
}

/** What a reply says beside ages and what is left of terms. */
function sense(reply: string): string {
  return reply.replaceAll(/"(governorAgeMs|ttlMs|count)":\d+/g, '');
}

const [ports, oldPort] = [await freePorts(), await freePort()];
const folder = await mkdtemp(join(tmpdir(), 'rekindle-record-'));
const between = createServer((asked, answered) => {
  const { url: path = '', method, headers } = asked;
  const call = send({ port: oldPort, path, method, headers, host: '127.0.0.1' }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('end', () => {
      const body = Buffer.concat(chunks);
      const told = answer.headers as Record<string, string>;
      keep(path, answer.statusCode ?? 0, told, body.toString('utf8'));
      answered.writeHead(answer.statusCode ?? 502, told).end(body);
    });
  });
  call.on('error', () => answered.destroy());
  asked.pipe(call);
});
await listen(between, ports.controlPlane);
const controlPlane = await startChild({
  name: 'older control plane',
  command: process.execPath,
  args: [join(checkout, 'dist/control-plane/main.js')],
  env: { REKINDLE_PORT: String(oldPort), REKINDLE_DATA_DIR: join(folder, 'store') },
  logFile: join(folder, 'older.log'),
});
await waitFor('it to be ready', async () => ((await fetch(`http://127.0.0.1:${oldPort}/readyz`)).ok ? true : null), 20_000);
const plugin = (given: object) => ({ ...given, services: [{ service: 'shop' }] });
const stage = await startStage({ ports, folder, controlPlane: false, plugin, onDeath: console.error });
await putPolicy(oldPort, POLICY);
const load = startLoad({ port: ports.listener, rates: RATES, onAnswer: () => {} });
stage.shop.setMode('catalog', DOWN);
await waitFor('the fleet to open', async () => (revisions.at(-1)?.flag.startsWith('DISABLED') ? true : null), 30_000);
stage.shop.setMode('catalog', { mode: 'ok' });
const isBack = async () => (revisions.at(-1)?.flag === 'ENABLED 10000' && revisions.at(-1)?.replies.length ? true : null);
await waitFor('the recovery', isBack, 30_000);
await waitFor('a poll without news', async () => (Object.keys(unchanged).length > 0 ? true : null), 40_000);
await load.stop();
await stage.stop();
await controlPlane.stop();
between.close();
between.closeAllConnections();
await rm(folder, { recursive: true });

const target = join(projectRoot, 'test/compatibility', version);
mkdirSync(target, { recursive: true });
const recorded: Recorded = { version, revisions, unchanged };
writeFileSync(join(target, 'answers.json'), `${JSON.stringify(recorded, null, 2)}\n`);
console.log(revisions.map(({ revision, flag, replies }) => `${revision}: ${flag}, ${replies.length} replies`).join('\n'));
