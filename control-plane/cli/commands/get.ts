import { Argument, Command, Option } from 'commander';
import type { Policy } from '../../contract/policy.ts';
import type { AuditView } from '../../contract/rest/audit.ts';
import type { FeatureView } from '../../contract/rest/features.ts';
import type { PolicySummary } from '../../contract/rest/policies.ts';
import type { ProxyView } from '../../contract/rest/proxies.ts';
import type { RecoverySummary } from '../../contract/rest/recoveries.ts';
import type { ServiceSummary } from '../../contract/rest/services.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { auditColumns, featureColumns, policyColumns, proxyColumns, recoveryColumns, serviceColumns } from '../columns.ts';
import { usage } from '../failure.ts';
import { duration, part } from '../options.ts';

interface GetOptions {
  readonly limit: number;
  readonly feature?: string;
  readonly kind?: string;
  readonly actor?: string;
  readonly since?: number;
}

type Reader = (cli: Cli, service: string, options: GetOptions) => Promise<void>;

/** What there is of all services, or of one. */
const READERS: Readonly<Record<string, { readonly needsService: boolean; readonly read: Reader }>> = {
  policies: { needsService: false, read: policies },
  policy: { needsService: true, read: policy },
  services: { needsService: false, read: services },
  features: { needsService: true, read: features },
  proxies: { needsService: true, read: proxies },
  recoveries: { needsService: true, read: recoveries },
  audit: { needsService: true, read: audit },
};

export const getCommand: NewCommand = (act) =>
  new Command('get')
    .description('show policies, one policy as a file, services, or the features, proxies, recoveries or audit of a service')
    .addArgument(new Argument('<what>').choices(Object.keys(READERS)))
    .argument('[service]')
    .addOption(new Option('--limit <count>', 'at most so many recoveries or entries of the audit').argParser(count).default(50))
    .addOption(new Option('--feature <feature>', 'audit: only of this feature'))
    .addOption(new Option('--kind <kind>', 'audit: only this action, such as flag-changed'))
    .addOption(new Option('--actor <name>', 'audit: only by this token, or `recovery`'))
    .addOption(new Option('--since <duration>', 'audit: not longer ago than this').argParser(duration))
    .action(
      act((cli, what: string, service: string | undefined, options: GetOptions) => {
        const { needsService, read } = READERS[what]!;
        if (needsService && service === undefined)
          throw usage(`\`get ${what}\` needs the name of a service`, '`rekindle get services` lists them');
        if (!needsService && service !== undefined)
          throw usage(`\`get ${what}\` is of all services; got ${service}`, `did you mean \`get ${singular(what)}\`?`);
        return read(cli, service ?? '', options);
      }),
    );

const singular = (what: string) => (what === 'policies' ? 'policy SERVICE' : 'features SERVICE');

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw usage(`--limit must be a number from 1 on, got ${text}`);
  return Number(text);
}

async function policies({ api, out }: Cli): Promise<void> {
  out.list(await api.all<PolicySummary>('v1/policies'), policyColumns, 'there are no policies yet; `rekindle apply FILE` creates one');
}

/** A policy has no table: it comes as YAML, ready to be changed and applied. */
async function policy({ api, out }: Cli, service: string): Promise<void> {
  const { body } = await api.get<Policy>(`v1/policies/${part(service)}`);
  out.data(body);
}

async function services({ api, out }: Cli): Promise<void> {
  out.list(await api.all<ServiceSummary>('v1/services'), serviceColumns, 'there are no services yet; `rekindle apply FILE` creates one');
}

async function features({ api, out, now }: Cli, service: string): Promise<void> {
  const { items } = (await api.get<{ items: FeatureView[] }>(`v1/services/${part(service)}/features`)).body;
  out.list(items, featureColumns(now()), `${service} has no features`);
}

async function proxies({ api, out }: Cli, service: string): Promise<void> {
  const { items } = (await api.get<{ items: ProxyView[] }>(`v1/services/${part(service)}/proxies`)).body;
  out.list(items, proxyColumns, `no proxy of ${service} reports`);
}

async function recoveries({ api, out, now }: Cli, service: string, { limit }: GetOptions): Promise<void> {
  const items = await api.all<RecoverySummary>(`v1/services/${part(service)}/recoveries`, {}, limit);
  out.list(items, recoveryColumns(now()), `${service} had no recovery so far`);
}

async function audit({ api, out, now }: Cli, service: string, options: GetOptions): Promise<void> {
  const { limit, feature, kind, actor, since } = options;
  const query = { feature, kind, actor, since: since === undefined ? undefined : Math.max(0, now() - since) };
  out.list(await api.all<AuditView>(`v1/services/${part(service)}/audit`, query, limit), auditColumns, 'nothing was found');
}
