import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { OptionHelp } from '../../manifest/options.ts';
import type { Manifest } from '../../manifest/read.ts';
import type { Cli, NewCommand } from '../cli.ts';
import { Failure, refused, usage } from '../failure.ts';
import { bytesOf } from '../files/sources.ts';
import { servicesOf } from '../manifest-services.ts';
import { labels, names } from '../options.ts';

/** Options that are read from elsewhere than a word: labels, services and the secret. */
const APART = ['labels', 'services', 'token'];

/** `--url` is the control plane's, for every command. */
const RENAMED: Readonly<Record<string, string>> = { url: 'moduleUrl' };

type Given = Readonly<Record<string, unknown>> & {
  readonly labels?: Readonly<Record<string, string>>;
  readonly policy?: readonly string[];
  readonly service?: readonly string[];
  readonly hosts?: readonly string[];
  readonly clusters?: readonly string[];
  readonly filterTokenFile?: string;
  readonly module?: string;
  readonly outputDir?: string;
  readonly workloadPatch?: true;
};

export const manifestCommand: NewCommand = (act) =>
  new Command('manifest')
    .description('the manifest that attaches the filter to Istio, from these options; asks no control plane')
    .addOption(new Option('--labels <labels>', 'labels of the pods that get the filter: app=shop,tier=web').argParser(labels))
    .addOption(new Option('--policy <file>', 'file with the inline policy of a service; repeat it for several').argParser(names))
    .addOption(new Option('--service <name>', 'a service without an inline policy; repeat it for several').argParser(names))
    .addOption(
      new Option('--hosts <service=hosts>', 'requests of these hosts belong to the service: shop=shop.example.com').argParser(repeated),
    )
    .addOption(new Option('--clusters <service=clusters>', 'requests to these Envoy clusters belong to the service').argParser(repeated))
    .addOption(
      new Option('--filter-token-file <file>', "file with the filter's access token, which will stand in the manifest in clear text"),
    )
    .addOption(new Option('--module <file>', 'the module, for its sha256 (default: of the one that this version was built with)'))
    .addOption(new Option('--workload-patch', 'rather the patch for the Deployment that goes with the manifest'))
    .addOption(new Option('--output-dir <folder>', 'write the manifest and the patch into files of this folder'))
    .action(act(manifest));

/** Adds the options of the templates, whose schemas take a while to load. */
export async function fillManifest(program: Command, subcommand: Command): Promise<void> {
  const command = program.commands.find((each) => each.name() === 'manifest');
  if (!command || !['manifest', '__complete'].includes(subcommand.name())) return;
  const { manifestOptionHelp } = await import('../../manifest/options.ts');
  for (const help of manifestOptionHelp()) if (!APART.includes(help.name)) command.addOption(optionOf(help));
}

function optionOf({ name, type, description, choices, default: value }: OptionHelp): Option {
  const flag = flagOf(name);
  const preset = value === undefined || type === 'boolean' || type === 'array' ? '' : ` (default: ${JSON.stringify(value)})`;
  const isFlag = type === 'boolean' && value === false;
  const option = new Option(isFlag ? flag : `${flag} <${type === 'boolean' ? 'yes or no' : 'value'}>`, `${description}${preset}`);
  if (choices.length > 0) option.choices(choices);
  else if (type === 'array') option.argParser(names);
  else if (type === 'integer') option.argParser((text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text));
  else if (type === 'boolean' && !isFlag) option.argParser((text) => ({ yes: true, no: false })[text] ?? text);
  return option;
}

const flagOf = (name: string) => `--${(RENAMED[name] ?? name).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

async function manifest({ out }: Cli, given: Given): Promise<void> {
  const { readManifestOptions } = await import('../../manifest/read.ts');
  const { manifestText, workloadPatchText } = await import('../../manifest/manifest.ts');
  const read = readManifestOptions(await optionsOf(given));
  if ('problems' in read)
    throw new Failure(2, 'the options do not make a manifest', { details: read.problems.map(lineOf), hint: '--help tells more' });
  const made = { manifest: manifestText(read.manifest), patch: workloadPatchText(read.manifest) };
  if (given.outputDir === undefined) return out.lines([(given.workloadPatch ? made.patch : made.manifest).trimEnd()]);
  out.lines(written(given.outputDir, read.manifest, made));
}

/** Where the problem came from, in the words of the command line. */
function lineOf({ path, reason }: { readonly path: string; readonly reason: string }): string {
  const [first = ''] = path.split(/[.[]/, 1);
  if (first !== 'services') return `${flagOf(first)}: ${reason}`;
  return `${path === first ? '--policy or --service' : path}: ${reason}`;
}

async function optionsOf(given: Given): Promise<object> {
  const { labels: pods, policy, service, hosts, clusters, filterTokenFile, module, outputDir: _, workloadPatch: __, ...words } = given;
  const services = await servicesOf({ policy, service, hosts, clusters });
  const { manifestOptionHelp } = await import('../../manifest/options.ts');
  const chosen = manifestOptionHelp().map(({ name }) => [name, words[RENAMED[name] ?? name]] as const);
  return {
    ...Object.fromEntries(chosen.filter(([, value]) => value !== undefined)),
    ...(pods ? { labels: pods } : {}),
    ...(services.length > 0 ? { services } : {}),
    ...(module === undefined ? {} : { sha256: hashOf(module) }),
    ...(filterTokenFile === undefined ? {} : { token: bytesOf(filterTokenFile, filterTokenFile).toString('utf8').trim() }),
  };
}

function hashOf(file: string): string {
  const bytes = bytesOf(file, file);
  if (bytes.toString('latin1', 0, 4) !== '\0asm') throw usage(`${file} is no WebAssembly module`);
  return createHash('sha256').update(bytes).digest('hex');
}

function written(folder: string, { name, kind }: Manifest, texts: { readonly manifest: string; readonly patch: string }): string[] {
  const files = [
    { path: join(folder, `${name}.${kind.toLowerCase()}.yaml`), text: texts.manifest },
    { path: join(folder, `${name}.workload-patch.yaml`), text: texts.patch },
  ];
  try {
    mkdirSync(folder, { recursive: true });
    for (const { path, text } of files) writeFileSync(path, text);
  } catch (error) {
    throw refused(`the manifest cannot be written: ${(error as Error).message}`);
  }
  return files.map(({ path }) => `wrote ${path}`);
}
