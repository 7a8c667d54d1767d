import {
  type CommandName,
  type CommandSpec,
  commands,
  type OptionName,
  type OptionSpec,
  options,
  shells,
} from '../commands.ts';

/** What may stand in one place of a command line. */
export type Choice =
  | { kind: 'words'; words: readonly string[] }
  /** Names of the services of the running proxy, which is asked for them. */
  | { kind: 'services' }
  | { kind: 'files' }
  | { kind: 'anything' };

/**
 * What asks the running proxy for the names of its services; it says nothing where none runs. Only what a service may be
 * called is passed on: bash expands what it is offered, and whoever has the port may answer.
 */
export const ASK_SERVICES = "pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*'";

/** What an operand of a command may be. */
export function operandChoice(command: CommandName, index: number): Choice {
  const spec: CommandSpec = commands[command];
  switch (spec.operands[index]) {
    case 'SERVICE':
      return { kind: 'services' };
    case 'FILE':
      return { kind: 'files' };
    case 'COMMAND':
      return { kind: 'words', words: Object.keys(commands) };
    case 'SHELL':
      return { kind: 'words', words: shells };
    case 'LEVEL':
      return { kind: 'words', words: options['log-level'].values };
    case 'METHOD':
      return { kind: 'words', words: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] };
    default:
      return { kind: 'anything' };
  }
}

/** What the value of an option may be; undefined: it has none. */
export function valueChoice(name: OptionName): Choice | undefined {
  const { value, values }: OptionSpec = options[name];
  if (value === undefined) return undefined;
  if (values !== undefined) return { kind: 'words', words: values };
  if (value === 'FILE') return { kind: 'files' };
  return name === 'service' ? { kind: 'services' } : { kind: 'anything' };
}

/** The ways in which an option is written. */
export function spellings(name: OptionName): string[] {
  const { short }: OptionSpec = options[name];
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}
