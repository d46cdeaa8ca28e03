import { Command, Option } from 'commander';
import type { Simulation } from '../../contract/rest/history.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { duration, part } from '../options.ts';
import type { Column } from '../output/table.ts';
import { harmless } from '../output/width.ts';
import { momentOf, reasonOf } from '../output/words.ts';

interface SimulateOptions {
  readonly since?: number;
  readonly node?: string;
}

export const simulateCommand: NewCommand = (act) =>
  new Command('simulate')
    .description('ask when draft policies would have tripped on the traffic of the last hour; nothing is changed')
    .argument('<path...>', 'files or folders (YAML or JSON); - reads standard input')
    .addOption(new Option('--since <duration>', 'replay only what is not longer ago than this (default: an hour)').argParser(duration))
    .addOption(new Option('--node <node>', 'replay the traffic of one proxy; without it, of all as if they were one'))
    .action(
      act(async ({ api, out, now }: Cli, paths: string[], { since, node }: SimulateOptions) => {
        const { readPolicyFiles } = await import('../files/policies.ts');
        const query = { node, sinceMs: since === undefined ? undefined : Math.max(0, Math.floor(now() - since)) };
        const simulations: Simulation[] = [];
        for (const { written } of readPolicyFiles(paths, (line) => out.note(line))) {
          const path = `v1/policies/${part(written.service)}/simulate`;
          simulations.push((await api.change<Simulation>('POST', path, { body: written, query })).body);
        }
        out.one(simulations, () =>
          simulations.flatMap((simulation) => [
            harmless(
              `${simulation.service} from ${momentOf(simulation.fromMs)} to ${momentOf(simulation.toMs)}, ${simulation.node ?? 'all proxies as one'}`,
            ),
            ...out.table(simulation.features, columns),
          ]),
        );
      }),
    );

type Simulated = Simulation['features'][number];

const columns: Column<Simulated>[] = [
  { title: 'FEATURE', cell: ({ feature }) => feature },
  { title: 'REPLAYED', cell: ({ requests }) => String(requests) },
  {
    title: 'FIRST TRIP',
    cell: ({ firstTrip }) => (firstTrip ? { text: momentOf(firstTrip.fromMs), tone: 'warning' } : { text: 'none', tone: 'good' }),
  },
  { title: 'BECAUSE', cell: ({ firstTrip }) => (firstTrip ? reasonOf(firstTrip) : '') },
  { title: 'UNKNOWN', cell: ({ unknown }) => [...new Set(unknown.map(({ because }) => because))].join(', ') },
  { title: 'CAVEATS', cell: ({ caveats }) => caveats.join(', ') },
];
