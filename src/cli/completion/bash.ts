import { type CommandSpec, commandNames, commands, type OptionName, options } from '../commands.ts';
import { ASK_SERVICES, type Choice, operandChoice, spellings, valueChoice } from './choices.ts';

/** For bash 4 and later; needs no bash-completion package. */
export function bashCompletion(): string {
  return `# bash completion for pilotlight, made by "pilotlight completion bash"
_pilotlight() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" operands=0 word skip=0 i
  COMPREPLY=()
  case "$before" in
${valueCases()}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if ((skip)); then skip=0; continue; fi
    case "$word" in
      ${valued().join('|')}) skip=1 ;;
      -*) ;;
      *) if [[ -z "$command" ]]; then command="$word"; else ((operands += 1)); fi ;;
    esac
  done
  if [[ -z "$command" ]]; then
    COMPREPLY=($(compgen -W "${commandNames.join(' ')} --help --version" -- "$current"))
    return
  fi
  if [[ "$current" == -* ]]; then
    case "$command" in
${commandNames.map((name) => `      ${name}) COMPREPLY=($(compgen -W "${optionsOf(name).join(' ')}" -- "$current")) ;;`).join('\n')}
    esac
    return
  fi
  case "$command:$operands" in
${operandCases()}
  esac
}
complete -F _pilotlight pilotlight`;
}

const optionNames = Object.keys(options) as OptionName[];

function valued(): string[] {
  return optionNames.filter((name) => valueChoice(name) !== undefined).flatMap(spellings);
}

function valueCases(): string {
  return optionNames
    .flatMap((name) => {
      const choice = valueChoice(name);
      return choice === undefined ? [] : [`    ${spellings(name).join('|')}) ${reply(choice)}; return ;;`];
    })
    .join('\n');
}

function operandCases(): string {
  return commandNames
    .flatMap((name) => {
      const { operands }: CommandSpec = commands[name];
      return operands.map((_, index) => `    ${name}:${index}) ${reply(operandChoice(name, index))} ;;`);
    })
    .join('\n');
}

function reply(choice: Choice): string {
  switch (choice.kind) {
    case 'words':
      return `COMPREPLY=($(compgen -W "${choice.words.join(' ')}" -- "$current"))`;
    case 'services':
      return `COMPREPLY=($(compgen -W "$(${ASK_SERVICES})" -- "$current"))`;
    case 'files':
      return 'COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null';
    case 'anything':
      return ':';
  }
}

function optionsOf(name: keyof typeof commands): string[] {
  const spec: CommandSpec = commands[name];
  return [...spec.options, 'help' as const].flatMap(spellings);
}
