import { parseArgs } from 'node:util';
import { PilotlightError } from '../model/errors.ts';
import { didYouMean } from '../util/suggest.ts';
import {
  type CommandName,
  type CommandSpec,
  commands,
  isCommandName,
  type OptionName,
  type OptionSpec,
  options,
  unknownCommand,
} from './commands.ts';

/** A command line that was understood. */
export interface Invocation {
  command: CommandName;
  operands: string[];
  /** Values of the options given; a switch is `true`. */
  given: { [Name in OptionName]?: (typeof options)[Name] extends { value: string } ? string : true };
}

const optionNames = Object.keys(options) as OptionName[];

/** Understands what stands behind the program's name. @throws USAGE */
export function readArguments(argv: readonly string[]): Invocation {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(optionNames.map((name) => [name, parserOption(options[name])])),
  });
  const words: string[] = [];
  const given: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind === 'option') given[knownOption(token.name, token.rawName)] = optionValue(token);
  }
  const [first, ...operands] = words;
  if (given['version'] !== undefined) return { command: 'version', operands: [], given: {} };
  if (given['help'] !== undefined) return { command: 'help', operands: words, given: {} };
  if (first === undefined) throw usage('a command is missing; "pilotlight help" lists them');
  if (!isCommandName(first)) throw unknownCommand(first);
  checkUse(first, operands, Object.keys(given) as OptionName[]);
  return { command: first, operands, given };
}

function parserOption(spec: OptionSpec): { type: 'string' | 'boolean'; short?: string } {
  const type = spec.value === undefined ? 'boolean' : 'string';
  return spec.short === undefined ? { type } : { type, short: spec.short };
}

function knownOption(name: string, rawName: string): OptionName {
  if (Object.hasOwn(options, name)) return name as OptionName;
  throw usage(`unknown option "${rawName}"${optionHint(name, optionNames)}`);
}

interface OptionToken {
  name: string;
  rawName: string;
  value: string | undefined;
  /** Whether the value was given as `--name=value`. */
  inlineValue: boolean | undefined;
}

function optionValue({ name, rawName, value, inlineValue }: OptionToken): string | true {
  const spec: OptionSpec = options[name as OptionName];
  if (spec.value === undefined) {
    if (value !== undefined) throw usage(`${rawName} takes no value`);
    return true;
  }
  // In `--admin --json` the second is an option that was meant as such.
  const isMissing = value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'));
  if (isMissing) throw usage(`${rawName} needs a value: ${spec.value}`);
  return value;
}

function checkUse(command: CommandName, operands: string[], given: OptionName[]): void {
  const spec: CommandSpec = commands[command];
  const misplaced = given.find((name) => !spec.options.includes(name));
  if (misplaced !== undefined) {
    throw usage(`"${command}" has no option "--${misplaced}"${optionHint(misplaced, spec.options)}`);
  }
  if (operands.length < spec.required) throw usage(`"${command}" needs a ${spec.operands[operands.length]}`);
  const surplus = operands[spec.operands.length];
  if (surplus !== undefined) throw usage(`"${command}" does not take "${surplus}"`);
}

function optionHint(name: string, candidates: readonly string[]): string {
  return didYouMean(name, candidates).replace('"', '"--');
}

function usage(message: string): PilotlightError {
  return new PilotlightError('USAGE', message);
}
