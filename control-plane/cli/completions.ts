import type { Argument, Command, Option } from 'commander';

/** What may stand at a place of the command line. */
export interface Wanted {
  /** null: the control plane knows them. */
  readonly names: readonly string[] | null;
  /** Name of the argument: `service` and `feature` are asked for. */
  readonly of: string;
  /** The service that was named before it. */
  readonly service: string | undefined;
}

/** Candidates for the last of the words, as the commands declare themselves. */
export function candidatesFor(program: Command, words: readonly string[]): Wanted {
  const last = words.at(-1) ?? '';
  let command = program;
  let pending: Option | undefined;
  const given: string[] = [];
  for (const word of words.slice(0, -1)) {
    if (pending) {
      pending = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const option = optionsOf(command).find(({ short, long }) => word === short || word === long);
      pending = option?.required && !word.includes('=') ? option : undefined;
      continue;
    }
    const inner = given.length === 0 ? command.commands.find((candidate) => candidate.name() === word) : undefined;
    if (inner) command = inner;
    else given.push(word);
  }
  if (pending) return { names: pending.argChoices ?? (isFeature(pending) ? null : []), of: 'feature', service: given[0] };
  if (last.startsWith('-')) return known(optionsOf(command).flatMap(({ long }) => long ?? []));
  if (command.commands.length > 0) return known(command.commands.map((inner) => inner.name()).filter((name) => !name.startsWith('_')));
  const argument = argumentAt(command, given.length);
  if (!argument) return known([]);
  const isAsked = ['service', 'feature'].includes(argument.name());
  const serviceAt = command.registeredArguments.findIndex((each) => each.name() === 'service');
  return { names: argument.argChoices ?? (isAsked ? null : []), of: argument.name(), service: given[serviceAt] };
}

const known = (names: readonly string[]): Wanted => ({ names, of: '', service: undefined });
const isFeature = ({ long }: Option) => long === '--feature';

function argumentAt({ registeredArguments }: Command, place: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[place] ?? (last?.variadic ? last : undefined);
}

function optionsOf(command: Command): Option[] {
  const own = command.options.filter(({ hidden }) => !hidden);
  return command.parent ? [...own, ...optionsOf(command.parent)] : [...own];
}
