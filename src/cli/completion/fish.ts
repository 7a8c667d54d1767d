import { type CommandSpec, commandNames, commands, type OptionName, type OptionSpec, options } from '../commands.ts';
import { ASK_SERVICES, type Choice, operandChoice, valueChoice } from './choices.ts';

/** For fish 3 and later. */
export function fishCompletion(): string {
  const lines = [
    '# fish completion for pilotlight, made by "pilotlight completion fish"',
    'complete -c pilotlight -f',
    ...commandNames.map(
      (name) => `complete -c pilotlight -n __fish_use_subcommand -a ${name} -d ${quoted(commands[name].summary)}`,
    ),
    ...commandNames.flatMap((name) => [...operandLines(name), ...optionLines(name)]),
  ];
  return lines.join('\n');
}

function operandLines(name: keyof typeof commands): string[] {
  const { operands }: CommandSpec = commands[name];
  const choices = operands.map((_, index) => operandChoice(name, index));
  return choices
    .filter((choice) => choice.kind !== 'anything')
    .map((choice) => `complete -c pilotlight -n ${quoted(`__fish_seen_subcommand_from ${name}`)} ${given(choice)}`);
}

function optionLines(name: keyof typeof commands): string[] {
  const spec: CommandSpec = commands[name];
  return [...spec.options, 'help' as const].map((option: OptionName) => {
    const { short, summary }: OptionSpec = options[option];
    const choice = valueChoice(option);
    const value = choice === undefined ? '' : ` ${choice.kind === 'files' ? '-r' : '-x'} ${given(choice)}`.trimEnd();
    const at = `complete -c pilotlight -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    return `${at} -l ${option}${short === undefined ? '' : ` -s ${short}`} -d ${quoted(summary)}${value}`;
  });
}

function given(choice: Choice): string {
  switch (choice.kind) {
    case 'words':
      return `-a ${quoted(choice.words.join(' '))}`;
    case 'services':
      return `-a ${quoted(`(${ASK_SERVICES})`)}`;
    case 'files':
      return '-F';
    case 'anything':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
