import { type CommandSpec, commandNames, commands, type OptionName, options } from '../commands.ts';
import { ASK_SERVICES, type Choice, operandChoice, spellings, valueChoice } from './choices.ts';

/** A function for zsh's completion system, to lie in a folder of `fpath` as `_pilotlight`. */
export function zshCompletion(): string {
  return `#compdef pilotlight
# zsh completion for pilotlight, made by "pilotlight completion zsh"
_pilotlight_services() {
  local -a services
  services=(\${(f)"$(${ASK_SERVICES})"})
  compadd -a services
}
_pilotlight() {
  local -a commands
  local state line
  commands=(
${commandNames.map((name) => `    ${quoted(`${name}:${commands[name].summary}`)}`).join('\n')}
  )
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
${commandNames.map((name) => `        ${name}) _arguments ${argumentsOf(name)} ;;`).join('\n')}
      esac ;;
  esac
}
compdef _pilotlight pilotlight`;
}

function argumentsOf(name: keyof typeof commands): string {
  const { operands, options: taken, required }: CommandSpec = commands[name];
  const places = operands.map((operand, index) => {
    const optional = index < required ? ':' : '::';
    return quoted(`${index + 1}${optional}${operand}:${action(operandChoice(name, index))}`);
  });
  return [...[...taken, 'help' as const].flatMap(optionSpecs), ...places].join(' ');
}

function optionSpecs(name: OptionName): string[] {
  const choice = valueChoice(name);
  const text = options[name].summary.replace(/[[\]:]/g, '\\$&');
  const value = choice === undefined ? '' : `:value:${action(choice)}`;
  const all = spellings(name);
  return all.map((spelling) => quoted(`(${all.join(' ')})${spelling}[${text}]${value}`));
}

function action(choice: Choice): string {
  switch (choice.kind) {
    case 'words':
      return `(${choice.words.join(' ')})`;
    case 'services':
      return '_pilotlight_services';
    case 'files':
      return '_files';
    case 'anything':
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
