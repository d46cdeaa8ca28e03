import { Command } from 'commander';
import type { FeatureView } from '../../contract/rest/features.ts';
import type { NewCommand } from '../cli.ts';
import { featureColumns } from '../columns.ts';
import { part } from '../options.ts';

export const featuresCommand: NewCommand = (act) =>
  new Command('features')
    .description('how the features of a service are: what they let through, their health, why, and how they come back')
    .argument('<service>')
    .argument('[feature]')
    .action(
      act(async ({ api, out, now }, service: string, feature?: string) => {
        const path = `v1/services/${part(service)}/features`;
        const items =
          feature === undefined
            ? (await api.get<{ items: FeatureView[] }>(path)).body.items
            : [(await api.get<FeatureView>(`${path}/${part(feature)}`)).body];
        out.list(items, featureColumns(now()), `${service} has no features`);
      }),
    );
