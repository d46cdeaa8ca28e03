import { Command, Option } from 'commander';
import type { RecoverySummary, RecoveryView } from '../../contract/rest/recoveries.ts';
import type { ServiceView } from '../../contract/rest/services.ts';
import type { Answer, ApiClient } from '../api/client.ts';
import { isRefusal } from '../api/refusal.ts';
import type { Act, Cli, NewCommand } from '../cli.ts';
import { refused } from '../failure.ts';
import { duration, expiry, names, part, reasonOption } from '../options.ts';
import { plural, spanOf } from '../output/words.ts';
import { watchRecovery } from '../watch-recovery.ts';

/** The control plane itself changes a recovery with each step; a person's word is tried anew then. */
const ATTEMPTS = 5;

interface StepOptions {
  readonly reason: string;
  readonly feature?: string[];
  readonly for?: number | 'never';
  readonly watch?: true;
}

export const recoverCommand: NewCommand = (act) =>
  new Command('recover')
    .description('start recoveries, step into the one that runs, and follow along')
    .addCommand(verb('start', 'take up what is not ENABLED').addOption(featureOption()).addOption(watchOption()).action(act(start)))
    .addCommand(
      verb('pause', 'keep everything from rising; what fails still falls')
        .addOption(
          new Option('--for <duration>', 'when the pause ends by itself: 30m, 2h or never').argParser(expiry).default(3_600_000, '1h'),
        )
        .action(act(stepping('pause'))),
    )
    .addCommand(
      verb('resume', 'end a pause')
        .addOption(watchOption())
        .action(act(stepping('resume'))),
    )
    .addCommand(
      verb('promote', 'skip the wait that features stand in; verdicts still hold')
        .addOption(featureOption())
        .addOption(watchOption())
        .action(act(stepping('promote'))),
    )
    .addCommand(verb('abort', 'end it: the proxies recover by themselves from where they are').action(act(stepping('abort'))))
    .addCommand(
      verb('rollback', 'go back to the last step that was seen healthy')
        .addOption(featureOption())
        .action(act(stepping('rollback'))),
    )
    .addCommand(watchCommand(act));

const verb = (name: string, description: string) =>
  new Command(name).description(description).argument('<service>').addOption(reasonOption());
const featureOption = () => new Option('-f, --feature <names>', 'only these features; repeat it, or part them by commas').argParser(names);
const watchOption = () => new Option('-w, --watch', 'follow it until it ends');

function watchCommand(act: Act): Command {
  return new Command('watch')
    .description('follow a recovery until it ends; ends with 0 if the service recovered, with 1 if it was aborted or superseded')
    .argument('<service>')
    .argument('[id]', 'without it, the one that runs')
    .addOption(new Option('--within <duration>', 'give up after this time, with exit code 1').argParser(duration))
    .action(
      act(async (cli, service: string, id: string | undefined, { within }: { within?: number }) => {
        const watched = id ?? (await runningId(cli.api, service));
        cli.endWith(await watchRecovery(cli, service, watched, within ?? null));
      }),
    );
}

async function start(cli: Cli, service: string, { reason, feature: features, watch }: StepOptions): Promise<void> {
  const { body } = await cli.api.change<RecoveryView>('POST', pathOf(service), { body: { reason, ...(features ? { features } : {}) } });
  await told(cli, body, `the recovery ${body.id} of ${service} runs: ${body.plan.map((wave) => wave.join(', ')).join(' > ')}`, watch);
}

/** What a person does to the recovery that runs. */
function stepping(name: string) {
  return async (cli: Cli, service: string, { reason, feature: features, for: expiresInMs, watch }: StepOptions): Promise<void> => {
    const body = { reason, ...(features ? { features } : {}), ...(expiresInMs === undefined ? {} : { expiresInMs }) };
    const { body: after } = await steppedIn(cli.api, service, name, body);
    const ends = typeof expiresInMs === 'number' ? `, for ${spanOf(expiresInMs)} at most` : '';
    await told(cli, after, `${name} of ${after.id}${ends}: ${plural(after.interventions, 'intervention')} so far`, watch);
  };
}

async function told(cli: Cli, recovery: RecoveryView, sentence: string, watch: true | undefined): Promise<void> {
  if (!watch) return cli.out.did(recovery, sentence);
  cli.out.note(sentence);
  cli.endWith(await watchRecovery(cli, recovery.service, recovery.id, null));
}

/** Acts on the recovery as it is now; if people stepped in meanwhile, it is not what this person meant. */
async function steppedIn(api: ApiClient, service: string, name: string, body: object): Promise<Answer<RecoveryView>> {
  const id = await runningId(api, service);
  const path = `${pathOf(service)}/${part(id)}`;
  const first = await api.get<RecoveryView>(path);
  for (let attempt = 1, seen = first; ; attempt++) {
    try {
      return await api.change<RecoveryView>('POST', `${path}/${name}`, { body, ...(seen.etag === null ? {} : { etag: seen.etag }) });
    } catch (error) {
      if (!isRefusal(error, 412) || attempt === ATTEMPTS) throw error;
      seen = await api.get<RecoveryView>(path);
      if (seen.body.interventions !== first.body.interventions) throw overtaken(service, seen.body);
    }
  }
}

function overtaken(service: string, { timeline }: RecoveryView) {
  const last = timeline.slice(-3).map(({ event, feature, reason }) => [event, feature ?? '', JSON.stringify(reason)].join(' '));
  return refused(
    `somebody else stepped in meanwhile; nothing was done`,
    last,
    `look with \`rekindle recover watch ${service}\`, then try again`,
  );
}

async function runningId(api: ApiClient, service: string): Promise<string> {
  const { body } = await api.get<ServiceView>(`v1/services/${part(service)}`);
  if (body.recovering !== null) return body.recovering;
  const [last] = await api.all<RecoverySummary>(pathOf(service), {}, 1);
  const before = last ? [`the last one, ${last.id}, ended: ${last.result}`] : [];
  throw refused(
    `no recovery of ${service} runs`,
    before,
    '`rekindle recover start` starts one; `rekindle features` shows what is not ENABLED',
  );
}

const pathOf = (service: string) => `v1/services/${part(service)}/recoveries`;
