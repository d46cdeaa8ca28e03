import { Command, Option } from 'commander';
import type { NewCommand } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { checkedPolicy, type PolicyReport, presentPolicy, reportLines, reportOf } from '../present-policy.ts';

export const diffCommand: NewCommand = (act) =>
  new Command('diff')
    .description('show what `apply` would change')
    .argument('<path...>', 'files or folders (YAML or JSON); - reads standard input')
    .addOption(new Option('--exit-code', 'end with 1 if there are differences'))
    .action(
      act(async ({ api, out, endWith }, paths: string[], { exitCode }: { exitCode?: true }) => {
        const { readPolicyFiles } = await import('../files/policies.ts');
        const reports: PolicyReport[] = [];
        for (const { file, written } of readPolicyFiles(paths, (line) => out.note(line))) {
          const wanted = await checkedPolicy(api, written);
          reports.push(reportOf(wanted.service, file, (await presentPolicy(api, wanted.service))?.body ?? null, wanted));
        }
        out.one(reports, () => reports.flatMap((report) => reportLines(report, 'would be')));
        if (exitCode && reports.some(({ result }) => result !== 'unchanged')) endWith(EXIT.refused);
      }),
    );
