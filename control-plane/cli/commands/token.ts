import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { NewToken, Scope, TokenView } from '../../contract/rest/tokens.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { refused, usage } from '../failure.ts';
import { part } from '../options.ts';
import type { Column } from '../output/table.ts';
import { momentOf } from '../output/words.ts';

/** As in the contract, whose schemas take longer to load than a person likes to wait. */
const SCOPES = ['read', 'operate', 'admin', 'filter'] as const satisfies readonly Scope[];

interface CreateOptions {
  readonly scope: Scope;
  readonly service?: string;
  readonly toFile?: string;
}

export const tokenCommand: NewCommand = (act) =>
  new Command('token')
    .description('access tokens of the control plane')
    .addCommand(
      new Command('create')
        .description('create a token; its secret is shown this once')
        .argument('<name>', 'who or what holds it; the actor of the audit')
        .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).makeOptionMandatory())
        .addOption(new Option('--service <service>', 'the service of a token of scope filter'))
        .addOption(new Option('--to-file <file>', 'write the secret to a new file, which only you can read, rather than to the terminal'))
        .action(act(create)),
    )
    .addCommand(new Command('list').description('the tokens, without their secrets').action(act(list)))
    .addCommand(
      new Command('revoke')
        .description('revoke a token, from the next request on')
        .argument('<token>', 'its id or its name')
        .action(act(revoke)),
    );

async function create({ api, out }: Cli, name: string, { scope, service, toFile }: CreateOptions): Promise<void> {
  const reserved = toFile === undefined ? null : newFile(toFile);
  const body = { name, scope, ...(service === undefined ? {} : { service }) };
  const { body: created } = await api.change<NewToken>('POST', 'v1/tokens', { body, isOnce: true });
  const { token, ...view } = created;
  if (reserved !== null) {
    writeFileSync(reserved, `${token}\n`);
    return out.did(view, `the token ${view.id} of ${name}, scope ${scope}, is in ${reserved}`);
  }
  out.note(`the token ${view.id} of ${name}, scope ${scope}; its secret is not shown again:`);
  out.one(created, () => [token]);
}

/** Made before the token is, so that no secret has nowhere to go. */
function newFile(path: string): string {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    return path;
  } catch (error) {
    throw usage(`${path} cannot be written as a new file: ${(error as Error).message}`);
  }
}

async function list({ api, out }: Cli): Promise<void> {
  out.list(await tokens(api), columns, 'there are no tokens: whoever reaches the control plane may do everything');
}

async function revoke({ api, out }: Cli, named: string): Promise<void> {
  const found = (await tokens(api)).find(({ id, name }) => id === named || name === named);
  if (!found) throw refused(`there is no token ${named}`, [], '`rekindle token list` lists them');
  await api.change('DELETE', `v1/tokens/${part(found.id)}`);
  out.did(found, `the token ${found.id} of ${found.name} is revoked`);
}

const tokens = (api: Cli['api']) => api.all<TokenView>('v1/tokens');

const columns: Column<TokenView>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'SCOPE', cell: ({ scope }) => scope },
  { title: 'SERVICE', cell: ({ service }) => service ?? '' },
  { title: 'FROM', cell: ({ source, createdBy }) => (source === 'file' ? 'the file of tokens' : (createdBy ?? '')) },
  { title: 'CREATED', cell: ({ createdAtMs }) => (createdAtMs === null ? '' : momentOf(createdAtMs)) },
];
