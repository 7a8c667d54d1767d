import { type CommandName, type CommandSpec, commandNames, commands, type OptionName, options } from './commands.ts';
import { optionSynopsis, synopsis } from './help.ts';

/** The manual page, as `man` reads it (roff with the man macros), made from the tables of commands. */
export function manualPage(version: string): string {
  return [
    `.TH PILOTLIGHT 1 "" "pilotlight ${version}" "User Commands"`,
    '.SH NAME',
    'pilotlight \\- an edge reverse proxy for services that come and go',
    '.SH SYNOPSIS',
    '.B pilotlight',
    '.I COMMAND',
    '[OPTIONS]',
    '.SH COMMANDS',
    ...commandNames.flatMap(commandLines),
    '.SH OPTIONS',
    ...(Object.keys(options) as OptionName[]).flatMap((name) => [
      '.TP',
      `.B ${escaped(optionSynopsis(name).trim())}`,
      escaped(options[name].summary),
    ]),
    '.SH ENVIRONMENT',
    ...environment.flatMap(([name, text]) => ['.TP', `.B ${name}`, escaped(text)]),
    '.SH FILES',
    escaped('./pilotlight.yaml, $XDG_CONFIG_HOME/pilotlight/config.yaml, /etc/pilotlight/config.yaml'),
    '.SH EXIT STATUS',
    '0 done, 1 the input or the state is wrong, 2 wrong usage',
    '',
  ].join('\n');
}

const environment: readonly [string, string][] = [
  ['PILOTLIGHT_CONFIG', 'the configuration, where -c does not name one'],
  ['PILOTLIGHT_ADMIN', 'the running proxy, where --admin does not name one'],
  ['PILOTLIGHT_ADMIN_TOKEN', 'the admin token, where --token gives none'],
  ['NO_COLOR', 'not empty: nothing is coloured'],
  ['PILOTLIGHT_DEBUG', 'not empty: errors are told with their code and causes'],
];

function commandLines(name: CommandName): string[] {
  const { summary, notes = [], examples = [], options: taken }: CommandSpec = commands[name];
  const given = taken.length === 0 ? '' : ` [${taken.map((option) => `--${option}`).join('] [')}]`;
  return [
    '.TP',
    `.B ${escaped(synopsis(name) + given)}`,
    escaped(summary),
    ...(notes.length === 0 ? [] : ['.nf', ...notes.map(escaped), '.fi']),
    ...examples.flatMap(([line, does]) => ['.br', escaped(`pilotlight ${line}: ${does}`)]),
  ];
}

/** A line of text: nothing in it is a request of roff. */
function escaped(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
