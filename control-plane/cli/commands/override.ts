import { Argument, Command, Option } from 'commander';
import type { FeatureView } from '../../contract/rest/features.ts';
import type { OverrideRequest, OverrideView } from '../../contract/rest/overrides.ts';
import type { ServiceSummary } from '../../contract/rest/services.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { stateCell } from '../columns.ts';
import { refused, usage } from '../failure.ts';
import { dryRunOption, expiry, part, reasonOption, share } from '../options.ts';
import type { Column } from '../output/table.ts';
import { momentOf, percentOf, spanOf } from '../output/words.ts';

const KINDS = ['FORCED_OPEN', 'FORCED_CLOSED', 'HOLD'] as const;
const DEFAULT_EXPIRY_MS = 3_600_000;

interface SetOptions {
  readonly reason: string;
  readonly for: number | 'never';
  readonly admit?: number;
  readonly replace?: true;
  readonly dryRun?: true;
}

export const overrideCommand: NewCommand = (act) =>
  new Command('override')
    .description("a person's word on a feature, which beats everything else until it ends")
    .addCommand(
      new Command('set')
        .description('force a feature open (nothing passes) or closed (all passes), or hold the share that passes')
        .argument('<service>')
        .argument('<feature>')
        .addArgument(new Argument('<kind>').choices(KINDS))
        .addOption(reasonOption())
        .addOption(
          new Option('--for <duration>', 'when it ends by itself: 30m, 2h, 7d or never').argParser(expiry).default(DEFAULT_EXPIRY_MS, '1h'),
        )
        .addOption(new Option('--admit <share>', 'share of requests that HOLD lets through, such as 25%').argParser(share))
        .addOption(new Option('--replace', 'even if somebody overrides it already'))
        .addOption(dryRunOption())
        .action(act(setOverride)),
    )
    .addCommand(
      new Command('list').description('the overrides that hold, of one service or of all').argument('[service]').action(act(listOverrides)),
    )
    .addCommand(
      new Command('end')
        .description('end an override: the feature comes back by its recovery')
        .argument('<service>')
        .argument('<feature>')
        .addOption(new Option('-r, --reason <text>', 'why; kept in the audit'))
        .action(act(endOverride)),
    );

const pathOf = (service: string, feature: string) => `v1/services/${part(service)}/features/${part(feature)}/override`;

async function setOverride(cli: Cli, service: string, feature: string, kind: OverrideRequest['kind'], options: SetOptions): Promise<void> {
  const { api, out } = cli;
  const { reason, for: expiresInMs, admit, replace, dryRun } = options;
  if ((kind === 'HOLD') !== (admit !== undefined)) throw usage('--admit belongs to HOLD, which needs it, and to nothing else');
  const present = await api.find<OverrideView>(pathOf(service, feature));
  if (present && !replace) {
    throw refused(
      `${service}/${feature} is overridden already`,
      [wordsOf(present.body, cli.now())],
      'say --replace to put yours in its place',
    );
  }
  const body: OverrideRequest = { kind, reason, expiresInMs, ...(admit === undefined ? {} : { admit }) };
  if (dryRun) return out.did(body, `${service}/${feature} would be ${kind}${present ? ' in place of what holds now' : ''}`);
  const { body: view } = await api.change<FeatureView>('PUT', pathOf(service, feature), { body, etag: present?.etag ?? null });
  out.did(
    view,
    `${service}/${feature} is now ${view.state} ${percentOf(view.admit)}: ${view.override ? wordsOf(view.override, cli.now()) : ''}`,
  );
}

async function endOverride({ api, out }: Cli, service: string, feature: string, { reason }: { reason?: string }): Promise<void> {
  const { etag } = await api.get<OverrideView>(pathOf(service, feature));
  const query = { reason };
  const { body } = await api.change<FeatureView>('DELETE', pathOf(service, feature), { query, ...(etag === null ? {} : { etag }) });
  out.did(body, `the override of ${service}/${feature} ended: it is now ${body.state} ${percentOf(body.admit)}`);
}

async function listOverrides({ api, out, now }: Cli, service?: string): Promise<void> {
  const services = service === undefined ? (await api.all<ServiceSummary>('v1/services')).map((each) => each.service) : [service];
  const held: HeldOverride[] = [];
  for (const each of services) {
    const { items } = (await api.get<{ items: FeatureView[] }>(`v1/services/${part(each)}/features`)).body;
    for (const { name, state, admit, override } of items)
      if (override) held.push({ service: each, feature: name, state, passes: admit, ...override });
  }
  out.list(held, overrideColumns(now()), 'nobody overrides anything');
}

type HeldOverride = NonNullable<FeatureView['override']> & { service: string; feature: string; state: string; passes: number };

function overrideColumns(nowMs: number): Column<HeldOverride>[] {
  return [
    { title: 'SERVICE', cell: ({ service }) => service },
    { title: 'FEATURE', cell: ({ feature }) => feature },
    { title: 'KIND', cell: ({ kind }) => kind },
    { title: 'STATE', cell: ({ state }) => stateCell(state) },
    { title: 'ADMIT', cell: ({ passes }) => percentOf(passes) },
    { title: 'ENDS', cell: ({ expiresAtMs }) => endOf(expiresAtMs, nowMs) },
    { title: 'BY', cell: ({ author }) => author },
    { title: 'REASON', cell: ({ reason }) => reason },
  ];
}

type Told = NonNullable<FeatureView['override']>;

function wordsOf({ kind, author, reason, expiresAtMs }: Told, nowMs: number): string {
  return `${kind} by ${author}, ends ${endOf(expiresAtMs, nowMs)}: ${reason}`;
}

function endOf(expiresAtMs: number | null, nowMs: number): string {
  return expiresAtMs === null ? 'never' : `${momentOf(expiresAtMs)} (in ${spanOf(expiresAtMs - nowMs)})`;
}
