import { readFileSync } from 'node:fs';
import {
  type CommandName,
  type CommandSpec,
  commandNames,
  commands,
  isCommandName,
  type OptionName,
  type OptionSpec,
  options,
  unknownCommand,
} from './commands.ts';

/** The text of `pilotlight help [COMMAND]`. @throws USAGE where there is no such command */
export function helpText(command: string | undefined): string {
  if (command === undefined) return overview();
  if (isCommandName(command)) return commandHelp(command);
  throw unknownCommand(command);
}

/** The version of the package. */
export function versionText(): string {
  const file = new URL('../../package.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

function overview(): string {
  return [
    'pilotlight: an edge reverse proxy for services that come and go',
    '',
    'usage: pilotlight COMMAND [OPTIONS]',
    '',
    ...columns(commandNames.map((name) => [synopsis(name), commands[name].summary])),
    '',
    '"pilotlight help COMMAND" shows the options of a command.',
    'exit codes: 0 done, 1 the input or the state is wrong, 2 wrong usage',
  ].join('\n');
}

function commandHelp(name: CommandName): string {
  const spec: CommandSpec = commands[name];
  const shown = spec.options.map((option): [string, string] => [optionSynopsis(option), options[option].summary]);
  return [
    `usage: pilotlight ${synopsis(name)}${shown.length === 0 ? '' : ' [OPTIONS]'}`,
    '',
    spec.summary,
    ...(shown.length === 0 ? [] : ['', ...columns(shown)]),
    ...(spec.notes === undefined ? [] : ['', ...spec.notes]),
    ...(spec.examples === undefined ? [] : ['', ...spec.examples.flatMap(exampleLines)]),
  ].join('\n');
}

function exampleLines([line, does]: readonly [string, string]): string[] {
  return [`  pilotlight ${line}`, `      ${does}`];
}

/** `wake SERVICE`. */
export function synopsis(name: CommandName): string {
  const { operands, required }: CommandSpec = commands[name];
  return [name, ...operands.map((operand, index) => (index < required ? operand : `[${operand}]`))].join(' ');
}

/** `-c, --config FILE`. */
export function optionSynopsis(name: OptionName): string {
  const { short, value }: OptionSpec = options[name];
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function columns(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
