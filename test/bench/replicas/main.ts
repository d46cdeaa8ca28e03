// `npm run bench:replicas`: two replicas of the control plane on one Valkey; the load comes from this process, over loopback.
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { ms, whole } from '../control-plane/figures.ts';
import { writeSection } from '../section.ts';
import { costOf, growth, HEAD, lineOf, percent, reports, type Size } from './cases.ts';

const isQuick = process.argv.includes('--quick');
const size: Size = isQuick
  ? { populations: [0, 100], changes: 3, seconds: 3 }
  : { populations: [0, 100, 1000, 10_000], changes: 10, seconds: 8 };

/** A watch of each proxy, 200 connections for reports, and what the process itself needs. */
const descriptors = Math.max(...size.populations) + 1000;
const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
if (limit !== 'unlimited' && Number(limit) < descriptors) {
  console.error(`this needs ${descriptors} file descriptors, the limit is ${limit}: raise it with ulimit -n ${descriptors}`);
  process.exit(1);
}

const { perSecond, p99, rates } = await reports(size);
const [commands, bytes, redisCpu] = costOf(rates);
const rate =
  `100 proxies that report as fast as they are answered, 20 features each: **${whole(perSecond)} reports a second** over both replicas ` +
  `(p99 ${ms(p99)}), which take ${percent(rates.replicasCpu)} of a core; Valkey ${commands} commands/s, ${bytes} KiB/s in and out, ${redisCpu} CPU.`;
console.log(rate);
const rows = await growth(size);
const table = [`| ${HEAD.join(' | ')} |`, `|${HEAD.map(() => '---').join('|')}|`, ...rows.map(lineOf)].join('\n');
const [cpu, ...others] = cpus();
const machine = `Measured on ${new Date().toISOString().slice(0, 10)}: ${others.length + 1} × ${cpu?.model.trim()}, Linux, Node ${process.versions.node}; both replicas, Valkey and the load share these cores. File descriptors: ${limit}.`;
const how =
  'One service of 20 features. Each proxy watches, and reports every 5 s on five features (`reportMs: 5000`; with the default of 1000 a proxy ' +
  'that has traffic reports five times as often). Costs are those of steady reports, without changes; CPU in per cent of a core.';
if (!isQuick) writeSection('replicas', 'Two replicas on one Valkey', [machine, how, table, rate].join('\n\n'));
process.exit();
