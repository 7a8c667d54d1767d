import { PilotlightError, toPilotlightError } from '../model/errors.ts';
import { type LogFormat, type LogLevel, logLevels } from '../model/observe.ts';
import { releaseSignals } from '../util/early-signals.ts';
import { notUnderstood } from './admin-troubles.ts';
import type { Invocation } from './args.ts';
import { readArguments } from './args.ts';
import { showCertificates } from './certificates.ts';
import { drainEndpoint, weighEndpoint } from './change-endpoint.ts';
import { type InspectCertificates, runCheck } from './check.ts';
import { type CommandName, commands, logFormats } from './commands.ts';
import { completionScript } from './completion/completion.ts';
import { showCosts } from './costs.ts';
import { runDemo } from './demo.ts';
import { showEndpoints } from './endpoints.ts';
import { showEvents } from './events.ts';
import { freezeServices, unfreezeServices } from './freeze.ts';
import { printPasswordHash } from './hash-password.ts';
import { helpText, versionText } from './help.ts';
import { initConfig } from './init.ts';
import { showLogLevel } from './log-level.ts';
import { showLogs } from './logs.ts';
import { type DecideAgain, replayJournal } from './replay.ts';
import { showRoutes } from './routes.ts';
import { runConfigured } from './run.ts';
import type { StartProxy } from './running-proxy.ts';
import { scaleService } from './scale.ts';
import { showStatus } from './status.ts';
import type { Terminal } from './terminal.ts';
import { runUpgrade } from './upgrade-command.ts';
import { sleepService, wakeService } from './wake-sleep.ts';
import { showWhy } from './why.ts';

/** The program that the commands belong to. */
export interface Program {
  /** Boots a proxy. */
  start: StartProxy;
  /** Decides on recorded inputs as the scaler does. */
  decide: DecideAgain;
  /** Reads the certificates that listeners name. */
  inspectCertificates: InspectCertificates;
}

/**
 * Does what the command line says and returns the exit code: 0 done, 1 the input or the state is wrong, 2 wrong usage.
 * Errors are one line on stderr; with PILOTLIGHT_DEBUG set, their causes follow.
 */
export async function runCli(argv: readonly string[], program: Program, terminal: Terminal): Promise<number> {
  let command: CommandName | undefined;
  try {
    const invocation = readArguments(argv);
    command = invocation.command;
    return await dispatch(invocation, program, terminal);
  } catch (thrown) {
    const isAnswer = thrown instanceof TypeError && command !== undefined && talks(command);
    const error = isAnswer ? notUnderstood(thrown) : toPilotlightError(thrown);
    terminal.err(`pilotlight: ${error.message}`);
    if (terminal.env['PILOTLIGHT_DEBUG']) for (const line of causes(error)) terminal.err(line);
    return error.code === 'USAGE' ? 2 : 1;
  }
}

/** Whether a command asks a running proxy. */
function talks(command: CommandName): boolean {
  return (commands[command].options as readonly string[]).includes('admin');
}

async function dispatch(
  { command, operands, given }: Invocation,
  { start, decide, inspectCertificates }: Program,
  terminal: Terminal,
): Promise<number> {
  const { out, err, env, cwd } = terminal;
  const [operand = ''] = operands;
  if (command !== 'run' && command !== 'demo') releaseSignals();
  switch (command) {
    case 'run':
      return runConfigured({ config: given.config, ...logOptions(given, terminal) }, start, terminal);
    case 'demo':
      return runDemo(logOptions(given, terminal), start, terminal);
    case 'init':
      return initConfig(given, terminal);
    case 'check':
      return runCheck({ file: given.config, json: given.json === true, env, cwd, out, err, inspectCertificates });
    case 'status':
      return untilInterrupted((signal) => showStatus(given, terminal, signal));
    case 'costs':
      return showCosts(given, terminal);
    case 'certificates':
      return showCertificates(given, terminal);
    case 'routes':
      return showRoutes(operands, given, terminal);
    case 'endpoints':
      return showEndpoints(operand, given, terminal);
    case 'drain':
    case 'undrain':
      return drainEndpoint(operands, command === 'drain', given, terminal);
    case 'weight':
      return weighEndpoint(operands, given, terminal);
    case 'logs':
      return showLogs(operand, given, terminal);
    case 'events':
      return untilInterrupted((signal) => showEvents(operands[0], given, terminal, signal));
    case 'log-level':
      return showLogLevel(operands[0] === undefined ? undefined : levelOf(operand, 'LEVEL'), given, terminal);
    case 'completion':
      out(completionScript(operand));
      return 0;
    case 'why':
      return showWhy(operand, given, terminal);
    case 'replay':
      return replayJournal(operand, decide, given, terminal);
    case 'simulate': {
      // Nobody else needs what it brings along.
      const { runSimulate } = await import('./simulate.ts');
      return runSimulate(given, terminal);
    }
    case 'wake':
      return untilInterrupted((signal) => wakeService(operand, given, terminal, signal));
    case 'sleep':
      return sleepService(operand, given, terminal);
    case 'scale':
      return scaleService(operand, operands[1] ?? '', given, terminal);
    case 'freeze':
      return freezeServices(operands[0], given, terminal);
    case 'unfreeze':
      return unfreezeServices(operands[0], given, terminal);
    case 'upgrade':
      return runUpgrade(given, terminal);
    case 'hash-password':
      return printPasswordHash(terminal);
    case 'help':
      out(helpText(operands[0]));
      return 0;
    case 'version':
      out(given.json === true ? JSON.stringify({ version: versionText(), node: process.version }) : versionText());
      return 0;
  }
}

/** A person at a terminal reads the log in lines, anything else as JSON. */
function logOptions(
  given: Invocation['given'],
  { interactive }: Terminal,
): { logLevel: LogLevel | undefined; logFormat: LogFormat } {
  const { 'log-level': level, 'log-format': form } = given;
  const logFormat = form === undefined ? (interactive ? 'pretty' : 'json') : oneOf(form, logFormats, '--log-format');
  return { logLevel: level === undefined ? undefined : levelOf(level, '--log-level'), logFormat };
}

function levelOf(text: string, what: string): LogLevel {
  return oneOf(text, logLevels, what);
}

function oneOf<Value extends string>(text: string, known: readonly Value[], what: string): Value {
  const found = known.find((each) => each === text);
  if (found !== undefined) return found;
  throw new PilotlightError('USAGE', `${what} is one of ${known.join(', ')}, not "${text}"`);
}

/** Lets SIGINT end a command in order, and a reader of its output that goes away (`| head`). */
async function untilInterrupted(command: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  process.once('SIGHUP', interrupt);
  process.stdout.once('error', interrupt);
  try {
    return await command(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    process.off('SIGHUP', interrupt);
    process.stdout.off('error', interrupt);
  }
}

/** What stands behind an error, a line each. */
function causes(error: PilotlightError): string[] {
  const lines = [`  ${error.code}`];
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && depth < 10; depth++) {
    const code = cause instanceof Error && 'code' in cause ? `${cause.code}: ` : '';
    lines.push(`  caused by ${code}${cause instanceof Error ? cause.message : String(cause)}`.replaceAll('\n', ' '));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}
