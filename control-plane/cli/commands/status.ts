import { Command } from 'commander';
import type { FeatureView } from '../../contract/rest/features.ts';
import type { Readiness } from '../../contract/rest/health.ts';
import type { ServiceSummary } from '../../contract/rest/services.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { featureColumns, serviceColumns } from '../columns.ts';
import { EXIT } from '../failure.ts';
import { part } from '../options.ts';
import type { Column } from '../output/table.ts';
import { harmless } from '../output/width.ts';

export const statusCommand: NewCommand = (act) =>
  new Command('status')
    .description('the control plane, its services, and every feature that is not as usual; ends with 1 unless the control plane is ready')
    .action(act(status));

const TONES = { ready: 'good', degraded: 'warning', 'not-ready': 'bad' } as const;

async function status(cli: Cli): Promise<void> {
  const { api, out, now, endWith } = cli;
  const { body: readiness } = await api.report<Readiness>('readyz');
  const role: string | undefined = readiness.role; // a control plane older than this program tells none
  const services = await api.all<ServiceSummary>('v1/services');
  const unusual = (await Promise.all(services.map(({ service }) => unusualOf(cli, service)))).flat();
  out.one({ controlPlane: { url: api.url, ...readiness }, services, unusual }, () => [
    `control plane at ${api.url.replace(/\/$/, '')}: ${out.paint(harmless(readiness.status), TONES[readiness.status])}${role ? ` (${harmless(role)})` : ''}`,
    ...Object.entries(readiness.parts).map(
      ([part, { ok, detail }]) => `  ${harmless(`${part}: ${detail}`)}${ok ? '' : out.paint(' (not well)', 'bad')}`,
    ),
    '',
    ...(services.length === 0 ? ['no services yet'] : out.table(services, serviceColumns)),
    '',
    ...(unusual.length === 0
      ? ['every feature is ENABLED, without an override']
      : out.table(unusual, [serviceColumn, ...featureColumns(now())])),
  ]);
  if (readiness.status !== 'ready') endWith(EXIT.refused);
}

type Unusual = FeatureView & { readonly service: string };

const serviceColumn: Column<Unusual> = { title: 'SERVICE', cell: ({ service }) => service };

/** What somebody would want to look at. */
async function unusualOf({ api }: Cli, service: string): Promise<Unusual[]> {
  const { items } = (await api.get<{ items: FeatureView[] }>(`v1/services/${part(service)}/features`)).body;
  return items
    .filter(({ state, health, override, suspects }) => state !== 'ENABLED' || isIll(health) || override !== null || suspects.length > 0)
    .map((feature) => ({ service, ...feature }));
}

const isIll = (health: string) => health === 'DEGRADED' || health === 'UNHEALTHY';
