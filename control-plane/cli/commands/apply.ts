import { Command } from 'commander';
import type { Policy } from '../../contract/policy.ts';
import type { Answer, ApiClient } from '../api/client.ts';
import { isRefusal } from '../api/refusal.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { EXIT, Failure, refused } from '../failure.ts';
import type { PolicyFile } from '../files/policies.ts';
import { dryRunOption, forceOption, part } from '../options.ts';
import { differences, lineOf } from '../policy-diff.ts';
import { checkedPolicy, type PolicyReport, presentPolicy, reportLines, reportOf } from '../present-policy.ts';

interface ApplyOptions {
  readonly dryRun?: true;
  readonly force?: true;
}

export const applyCommand: NewCommand = (act) =>
  new Command('apply')
    .description('create or change policies; nothing is sent unless all files are sound')
    .argument('<path...>', 'files or folders (YAML or JSON); - reads standard input')
    .addOption(dryRunOption())
    .addOption(forceOption())
    .action(
      act(async (cli, paths: string[], options: ApplyOptions) => {
        const { out } = cli;
        // Validation takes a while to load, which other commands should not wait for.
        const { readPolicyFiles } = await import('../files/policies.ts');
        const failures: Failure[] = [];
        const reports: PolicyReport[] = [];
        for (const policy of readPolicyFiles(paths, (line) => out.note(line))) {
          try {
            const report = await applied(cli, policy, options);
            reports.push(report);
            if (out.format === 'table') out.lines(reportLines(report, options.dryRun ? 'would be' : ''));
          } catch (error) {
            // The others may still go through, unless nobody answers.
            if (!(error instanceof Failure) || error.exitCode !== EXIT.refused) throw error;
            const { message, details, hint } = error;
            failures.push(new Failure(EXIT.refused, `${policy.file}: ${message}`, { details, hint }));
          }
        }
        if (out.format !== 'table') out.data(reports);
        if (failures.length > 1) throw refused(`${failures.length} policies were refused`, failures.flatMap(linesOf));
        if (failures[0]) throw failures[0];
      }),
    );

const linesOf = ({ message, details }: Failure) => [message, ...details.map((line) => `  ${line}`)];

async function applied({ api }: Cli, { file, written }: PolicyFile, { dryRun, force }: ApplyOptions): Promise<PolicyReport> {
  const { service } = written;
  const present = await presentPolicy(api, service);
  if (dryRun) return reportOf(service, file, present?.body ?? null, await checkedPolicy(api, written));
  try {
    const change = { body: written, etag: present?.etag ?? null, query: { force } };
    const { body } = await api.change<Policy>('PUT', `v1/policies/${part(service)}`, change);
    return reportOf(service, file, present?.body ?? null, body);
  } catch (error) {
    if (isRefusal(error, 412)) throw await overtaken(api, service, present);
    throw error;
  }
}

/** What somebody else made of the policy between our reading and our writing. */
async function overtaken(api: ApiClient, service: string, read: Answer<Policy> | null): Promise<Failure> {
  const now = await presentPolicy(api, service);
  const changes = now === null ? ['it was deleted'] : read === null ? ['it was created'] : differences(read.body, now.body).map(lineOf);
  const details = changes.length > 0 ? changes : ['it was written anew, as it had been'];
  return refused(`the policy of ${service} changed meanwhile; nothing was written`, details, 'look at what changed, then apply again');
}
