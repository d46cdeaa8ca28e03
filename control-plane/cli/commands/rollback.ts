import { Argument, Command } from 'commander';
import type { Policy } from '../../contract/policy.ts';
import type { PolicyVersionView } from '../../contract/rest/policy-history.ts';
import type { ApiClient } from '../api/client.ts';
import { isRefusal } from '../api/refusal.ts';
import type { NewCommand } from '../cli.ts';
import { refused } from '../failure.ts';
import { dryRunOption, forceOption, part, reasonOption, revision } from '../options.ts';
import { presentPolicy, reportLines, reportOf } from '../present-policy.ts';

interface RollbackOptions {
  readonly reason: string;
  readonly dryRun?: true;
  readonly force?: true;
}

export const rollbackCommand: NewCommand = (act) =>
  new Command('rollback')
    .description('write the policy of an earlier revision anew (without a number: of the one before the present)')
    .argument('<service>')
    .addArgument(new Argument('[revision]').argParser(revision))
    .addOption(reasonOption())
    .addOption(dryRunOption())
    .addOption(forceOption())
    .action(
      act(async ({ api, out }, service: string, wanted: number | undefined, { reason, dryRun, force }: RollbackOptions) => {
        const path = `v1/policies/${part(service)}`;
        const present = await presentPolicy(api, service);
        const to = wanted ?? (await revisionBefore(api, service));
        if (dryRun) {
          const { body: then } = await api.get<Policy>(`${path}/history/${to}`);
          const report = reportOf(service, null, present?.body ?? null, then);
          return out.one({ ...report, revision: to }, () => [`to revision ${to}:`, ...reportLines(report, 'would be')]);
        }
        const change = { body: { revision: to, reason }, etag: present?.etag ?? null, query: { force } };
        const { body } = await api.change<Policy>('POST', `${path}/rollback`, change).catch((error: unknown) => {
          if (isRefusal(error, 412))
            throw refused(
              `the policy of ${service} changed meanwhile; nothing was written`,
              [],
              'look at `rekindle history`, then try again',
            );
          throw error;
        });
        const report = reportOf(service, null, present?.body ?? null, body);
        out.one({ ...report, revision: to }, () => [`back at revision ${to}:`, ...reportLines(report)]);
      }),
    );

async function revisionBefore(api: ApiClient, service: string): Promise<number> {
  const versions = await api.all<PolicyVersionView>(`v1/policies/${part(service)}/history`, {}, 2);
  const earlier = versions.find(({ isPresent }) => !isPresent);
  if (!earlier) throw refused(`the policy of ${service} has no earlier revision`);
  return earlier.revision;
}
