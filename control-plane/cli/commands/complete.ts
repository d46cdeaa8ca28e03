import { Command } from 'commander';
import type { FeatureView } from '../../contract/rest/features.ts';
import type { ServiceSummary } from '../../contract/rest/services.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { candidatesFor, type Wanted } from '../completions.ts';
import { part } from '../options.ts';

/** For the scripts of `completion`: candidates for the last of these words. */
export const completeCommand: NewCommand = (act) => {
  const command = new Command('__complete').argument('[words...]');
  return command.action(
    act(async (cli, words: string[]) => {
      const wanted = candidatesFor(command.parent!, words);
      const start = words.at(-1) ?? '';
      const all = wanted.names ?? (await namesOf(cli, wanted).catch(() => [])); // a shell that waits is no place for errors
      cli.out.lines(all.filter((name) => name.startsWith(start)));
    }),
  );
};

async function namesOf({ api }: Cli, { of, service }: Wanted): Promise<string[]> {
  if (of === 'service') return (await api.all<ServiceSummary>('v1/services')).map((each) => each.service);
  if (of !== 'feature' || service === undefined) return [];
  return (await api.get<{ items: FeatureView[] }>(`v1/services/${part(service)}/features`)).body.items.map(({ name }) => name);
}
