import { Argument, Command } from 'commander';
import type { NewCommand } from '../cli.ts';

/** Each script hands the words of the line to `rekindle __complete`, which prints one candidate a line. */
const SCRIPTS = {
  bash: `_rekindle() {
  local IFS=$'\\n'
  COMPREPLY=($(rekindle __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null
  return 0
}
complete -F _rekindle rekindle`,
  zsh: `#compdef rekindle
_rekindle() {
  local -a found
  found=("\${(@f)$(rekindle __complete -- "\${(@)words[2,$CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
compdef _rekindle rekindle`,
  fish: `function __rekindle_complete
  set -l words (commandline -opc) (commandline -ct)
  rekindle __complete -- $words[2..-1] 2>/dev/null
end
complete -c rekindle -a '(__rekindle_complete)'`,
} as const;

export const completionCommand: NewCommand = (act) =>
  new Command('completion')
    .description('a script that completes commands, options, services and features: source <(rekindle completion bash)')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .action(act(({ out }, shell: keyof typeof SCRIPTS) => out.lines([SCRIPTS[shell]])));
