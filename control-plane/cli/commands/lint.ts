import { Command, Option } from 'commander';
import type { NewCommand } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { byPlace, lineOf } from '../files/finding.ts';
import { readSources } from '../files/sources.ts';
import { plural } from '../output/words.ts';

export const lintCommand: NewCommand = (act) =>
  new Command('lint')
    .description(
      'say all that is wrong with policies, configurations of the filter, and manifests of Istio and Envoy; asks no control plane',
    )
    .argument('<path...>', 'files or folders (YAML or JSON); - reads standard input')
    .addOption(new Option('--strict', 'end with 1 for warnings, too'))
    .action(
      act(async ({ out, endWith }, paths: string[], { strict }: { strict?: true }) => {
        const { findingsOf } = await import('../files/lint.ts');
        const sources = readSources(paths);
        const findings = sources.flatMap(findingsOf).sort(byPlace);
        out.one(findings, () => findings.map(lineOf));
        const errors = findings.filter(({ severity }) => severity === 'error').length;
        out.note(`${plural(sources.length, 'file')}: ${plural(errors, 'error')}, ${plural(findings.length - errors, 'warning')}`);
        if (errors > 0 || (strict && findings.length > 0)) endWith(EXIT.refused);
      }),
    );
