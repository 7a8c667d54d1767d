import { PilotlightError } from '../model/errors.ts';
import { logLevels } from '../model/observe.ts';
import { APP_FORMS, LOAD_FORMS, RIVAL_FORMS, TIME_FORMS } from '../simulate/spec/forms.ts';
import { didYouMean } from '../util/suggest.ts';

/** What the command line offers: the parser, help, suggestions, completions and the manual page read these tables. */

export interface CommandSpec {
  /** What follows the name. */
  operands: readonly string[];
  /** How many of the operands must be given. */
  required: number;
  options: readonly OptionName[];
  summary: string;
  /** What its help says below the options, a line each. */
  notes?: readonly string[];
  /** Command lines without the program's name, and what each does. */
  examples?: readonly (readonly [line: string, does: string])[];
}

export interface OptionSpec {
  short?: string;
  /** What the value is called; undefined: a switch without value. */
  value?: string;
  /** All that the value may be; absent: anything. */
  values?: readonly string[];
  summary: string;
}

export const shells = ['bash', 'zsh', 'fish'] as const;
export const logFormats = ['json', 'pretty'] as const;

export const options = {
  config: { short: 'c', value: 'FILE', summary: 'the configuration; else PILOTLIGHT_CONFIG and the usual places' },
  json: { summary: 'prints JSON' },
  since: {
    value: 'WHEN',
    summary: 'from then on: a duration as 10m, or a time. Default: 20 decisions, 7d of costs',
  },
  watch: { summary: 'the whole screen, live: arrows move, q ends; elsewhere again every second' },
  names: { summary: 'prints the names only, one a line' },
  lines: { value: 'N', summary: 'how many lines of each replica, 1 to 1000. Default: 50' },
  'no-wait': { summary: 'does not wait until it is ready, or the start failed' },
  timeout: { value: 'DURATION', summary: 'how long to wait; the start goes on. Default: until it is decided' },
  reason: { value: 'TEXT', summary: 'why, shown by status' },
  'dry-run': { summary: 'says what it would do, and does not do it' },
  service: { value: 'NAME', summary: 'which service; may be left out where only one can be started' },
  load: { value: 'SPEC', summary: 'the clients (see below)' },
  trace: { value: 'FILE', summary: 'recorded calls instead: app,func,end_timestamp,duration in seconds (CSV)' },
  function: { value: 'NAME', summary: 'of the trace, only the function whose name begins so' },
  running: { value: 'N', summary: 'replicas that run when the load begins. Default: `scale.min`' },
  speed: { value: 'FACTOR', summary: 'the trace comes so many times as fast. Default: 1' },
  app: { value: 'SPEC', summary: 'how the app behaves (see below)' },
  for: {
    value: 'DURATION',
    summary: 'how long. Default: of a freeze 1h, at most 24h; of a load 5m, or as long as the trace',
  },
  seed: { value: 'N', summary: 'what chance follows from: the same number gives the same outcome. Default: 1' },
  against: { value: 'POLICIES', summary: 'whom to compare with (see below)' },
  out: { value: 'FILE', summary: 'writes a report with plots (HTML)' },
  host: { value: 'HOST', summary: 'only what is for this host; of init: the host that leads to the service' },
  explain: { summary: 'which route takes this request, by which rule, and why the others do not' },
  listen: { value: 'ADDRESS', summary: 'where requests are taken, as 0.0.0.0:8080' },
  serve: { value: 'HOW', summary: 'what runs the service (see below)' },
  admin: { value: 'URL', summary: 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' },
  token: { value: 'TOKEN', summary: 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' },
  'log-level': { value: 'LEVEL', values: logLevels, summary: 'debug, info, warn, error or silent' },
  'log-format': { value: 'FORMAT', values: logFormats, summary: 'json, or pretty. Default: pretty at a terminal' },
  help: { short: 'h', summary: 'shows this text' },
  version: { short: 'v', summary: 'shows the version' },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof options;

const talking = ['admin', 'token', 'config'] as const;

export const commands = {
  run: {
    operands: [],
    required: 0,
    options: ['config', 'log-level', 'log-format'],
    summary: 'runs the proxy',
    examples: [['run -c pilotlight.yaml', 'serves this configuration until SIGTERM']],
  },
  demo: {
    operands: [],
    required: 0,
    options: ['log-level', 'log-format'],
    summary: 'runs a demo that needs no configuration',
  },
  init: {
    operands: [],
    required: 0,
    options: ['config', 'listen', 'host', 'serve', 'json'],
    summary: 'asks three questions and writes a configuration to begin with',
    notes: [
      'how:  a command that listens on $PORT, as node server.js',
      '      docker IMAGE PORT, as docker nginx:1.27 80',
      '      HOST:PORT of what runs already, as 10.0.0.5:3000',
    ],
    examples: [
      ['init', 'asks, and writes ./pilotlight.yaml'],
      ['init --listen 0.0.0.0:80 --host shop.example.com --serve "node server.js"', 'asks nothing'],
    ],
  },
  check: {
    operands: [],
    required: 0,
    options: ['config', 'json'],
    summary: 'validates a configuration',
    examples: [['check -c pilotlight.yaml', 'every mistake by file, line and column; exit code 1 where there is one']],
  },
  status: {
    operands: [],
    required: 0,
    options: ['json', 'watch', 'names', ...talking],
    summary: 'shows every service with its replicas and what was last decided',
    examples: [
      ['status --watch', 'a live table; q ends it'],
      ['status --json', 'the same for programs'],
    ],
  },
  certificates: {
    operands: [],
    required: 0,
    options: ['json', ...talking],
    summary: 'shows every certificate, its end and how its renewal stands',
  },
  routes: {
    operands: ['METHOD', 'URL'],
    required: 0,
    options: ['host', 'explain', 'json', ...talking],
    summary: 'shows where hosts and paths lead, or with --explain one request',
    examples: [
      ['routes --host shop.example.com', 'the routes that are for this host'],
      ['routes --explain GET https://shop.example.com/api', 'where this request goes, and why nowhere else'],
    ],
  },
  endpoints: {
    operands: ['SERVICE'],
    required: 1,
    options: ['json', ...talking],
    summary: 'shows where a service is, and why an address is out of use',
  },
  drain: {
    operands: ['SERVICE', 'ADDRESS'],
    required: 2,
    options: ['json', ...talking],
    summary: 'takes an endpoint out: it only finishes the requests that it has',
    notes: [
      'A replica that Pilotlight runs retires: it is stopped, and another starts where it is needed.',
      'What others run stays out until "undrain", or the end of the proxy.',
    ],
    examples: [['drain shop 10.0.0.5:8080', 'no new requests go there']],
  },
  undrain: {
    operands: ['SERVICE', 'ADDRESS'],
    required: 2,
    options: ['json', ...talking],
    summary: 'takes an endpoint back that was drained',
  },
  weight: {
    operands: ['SERVICE', 'ADDRESS', 'N'],
    required: 3,
    options: ['json', ...talking],
    summary: 'gives an endpoint another share of the requests',
    notes: [
      'It holds until it is changed, or the proxy ends.',
      'N: 0 to 65535, of which 0 gets none while another is usable; or listed: what its source says',
    ],
    examples: [
      ['weight shop 10.0.0.5:8080 0', 'it gets requests only while no other can'],
      ['weight shop 10.0.0.5:8080 listed', 'as before'],
    ],
  },
  why: {
    operands: ['SERVICE'],
    required: 1,
    options: ['since', 'json', ...talking],
    summary: 'shows the last decisions about a service, with their numbers and guards',
    examples: [['why shop --since 1h', 'what was decided in the last hour']],
  },
  logs: {
    operands: ['SERVICE'],
    required: 1,
    options: ['lines', 'json', ...talking],
    summary: 'shows what the replicas of a service wrote last',
  },
  events: {
    operands: ['SERVICE'],
    required: 0,
    options: ['json', ...talking],
    summary: 'shows what happens, as it happens, of a service or of all',
    examples: [['events --json', 'one JSON object a line']],
  },
  costs: {
    operands: [],
    required: 0,
    options: ['since', 'json', ...talking],
    summary: 'shows what services took, and would have taken otherwise',
  },
  replay: {
    operands: ['FILE'],
    required: 1,
    options: ['json'],
    summary: 'decides what a journal records again, and says what comes out otherwise',
  },
  simulate: {
    operands: [],
    required: 0,
    options: [
      'config',
      'service',
      'load',
      'trace',
      'function',
      'speed',
      'app',
      'running',
      'for',
      'seed',
      'against',
      'out',
      'json',
    ],
    summary: 'shows how a service would scale under a load, on virtual time',
    notes: [
      `loads:    ${LOAD_FORMS.slice(0, -1).join('  ')}`,
      `          ${LOAD_FORMS.at(-1)}`,
      '          rates per second; then ,even (instead of Poisson) and ,patience:TIME',
      `app:      ${APP_FORMS.slice(0, 7).join(',')}`,
      `          ${APP_FORMS.slice(7).join(',')}: any of these`,
      `times:    ${TIME_FORMS.join('  ')}`,
      `policies: ${RIVAL_FORMS.join(',')}: any of these`,
    ],
  },
  wake: {
    operands: ['SERVICE'],
    required: 1,
    options: ['no-wait', 'timeout', 'json', ...talking],
    summary: 'starts a service, and waits until it is ready or says why it is not',
    examples: [['wake shop --timeout 30s', 'exit code 0 when it is ready, 1 with the reason where it is not']],
  },
  sleep: {
    operands: ['SERVICE'],
    required: 1,
    options: ['json', ...talking],
    summary: 'retires every replica of a service',
  },
  scale: {
    operands: ['SERVICE', 'N'],
    required: 2,
    options: ['dry-run', 'json', ...talking],
    summary: 'has a service run N replicas at once; 0 puts it to sleep',
    examples: [['scale shop 3 --dry-run', 'says what would happen']],
  },
  freeze: {
    operands: ['SERVICE'],
    required: 0,
    options: ['for', 'reason', 'dry-run', 'json', ...talking],
    summary: 'stops scaling and sleeping of a service, or of all; wakes go on',
    examples: [['freeze --for 30m --reason release', 'nothing is scaled or put to sleep for half an hour']],
  },
  unfreeze: {
    operands: ['SERVICE'],
    required: 0,
    options: ['dry-run', 'json', ...talking],
    summary: 'lets a frozen service, or all of them, be scaled again',
  },
  'log-level': {
    operands: ['LEVEL'],
    required: 0,
    options: ['json', ...talking],
    summary: 'shows the log level of a running proxy, or changes it until its end',
    examples: [['log-level debug', 'more is logged from now on']],
  },
  upgrade: {
    operands: [],
    required: 0,
    options: ['config', 'json'],
    summary: 'has a running proxy replaced by this program, without a lost request',
  },
  'hash-password': {
    operands: [],
    required: 0,
    options: [],
    summary: 'reads a password from standard input and prints its hash, for basicAuth',
  },
  completion: {
    operands: ['SHELL'],
    required: 1,
    options: [],
    summary: 'prints what bash, zsh or fish needs to complete command lines',
    examples: [
      ['completion bash > /etc/bash_completion.d/pilotlight', 'for all users of bash'],
      ['completion zsh > ~/.zfunc/_pilotlight', 'for zsh, with ~/.zfunc in its fpath'],
      ['completion fish > ~/.config/fish/completions/pilotlight.fish', 'for fish'],
    ],
  },
  help: { operands: ['COMMAND'], required: 0, options: [], summary: 'shows this text, or that of one command' },
  version: { operands: [], required: 0, options: ['json'], summary: 'shows the version' },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof commands;

export const commandNames = Object.keys(commands) as CommandName[];

export function isCommandName(text: string): text is CommandName {
  return Object.hasOwn(commands, text);
}

/** What to say of another one. */
export function unknownCommand(text: string): PilotlightError {
  const advice = didYouMean(text, commandNames) || '; "pilotlight help" lists them';
  return new PilotlightError('USAGE', `unknown command "${text}"${advice}`);
}
