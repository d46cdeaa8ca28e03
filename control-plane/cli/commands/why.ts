import { Command } from 'commander';
import type { WhyView } from '../../contract/rest/why.ts';
import type { NewCommand } from '../cli.ts';
import { auditColumns } from '../columns.ts';
import { part } from '../options.ts';
import { harmless } from '../output/width.ts';

export const whyCommand: NewCommand = (act) =>
  new Command('why')
    .description('why a feature is as it is, what keeps it from letting more through, and what changed last')
    .argument('<service>')
    .argument('<feature>')
    .action(
      act(async ({ api, out }, service: string, feature: string) => {
        const { body } = await api.get<WhyView>(`v1/services/${part(service)}/features/${part(feature)}/why`);
        const lines = (title: string, said: WhyView['because']) =>
          said.length === 0 ? [] : ['', title, ...said.map(({ text }) => `  ${harmless(text)}`)];
        out.one(body, () => [
          harmless(body.text),
          ...lines('because', body.because),
          ...lines('holds', body.holds),
          ...(body.changes.length === 0 ? [] : ['', 'last changes', ...out.table(body.changes, auditColumns).map((line) => `  ${line}`)]),
        ]);
      }),
    );
