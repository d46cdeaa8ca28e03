import { Argument, Command } from 'commander';
import type { Policy } from '../../contract/policy.ts';
import type { PolicyVersionView } from '../../contract/rest/policy-history.ts';
import type { NewCommand } from '../cli.ts';
import { part, revision } from '../options.ts';
import type { Column } from '../output/table.ts';
import { momentOf } from '../output/words.ts';

const columns: Column<PolicyVersionView>[] = [
  { title: 'REVISION', cell: (version) => `${version.revision}${version.isPresent ? ' (holds now)' : ''}` },
  { title: 'SAVED', cell: ({ savedAtMs }) => momentOf(savedAtMs) },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'FEATURES', cell: ({ features }) => features.join(', ') },
];

export const historyCommand: NewCommand = (act) =>
  new Command('history')
    .description('the versions of a policy, newest first; or one of them as a file')
    .argument('<service>')
    .addArgument(new Argument('[revision]').argParser(revision))
    .action(
      act(async ({ api, out }, service: string, wanted?: number) => {
        const path = `v1/policies/${part(service)}/history`;
        if (wanted === undefined) out.list(await api.all<PolicyVersionView>(path), columns, `${service} has no history`);
        else out.data((await api.get<Policy>(`${path}/${wanted}`)).body);
      }),
    );
