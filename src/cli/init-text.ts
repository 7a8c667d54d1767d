import { PilotlightError } from '../model/errors.ts';

/** What the first service of a configuration is. */
export interface FirstService {
  /** Address that requests are taken at. */
  listen: string;
  /** Lower case; empty: any. */
  host: string;
  run: ServiceRun;
}

/** What runs a service. */
export type ServiceRun =
  | { kind: 'command'; words: string[] }
  | { kind: 'docker'; image: string; port: number }
  | { kind: 'running'; address: string };

/** One word: bare, or in quotes. */
const WORD = /"([^"]*)"|'([^']*)'|([^\s"']+)/g;

/** Understands what is answered to what runs the service. @throws USAGE */
export function readServe(text: string): ServiceRun {
  const words = [...text.matchAll(WORD)].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
  const [first, second, third, ...more] = words;
  if (first === undefined || text.replace(WORD, '').trim() !== '') throw unclear(text);
  if (first === 'docker') {
    const port = Number(third);
    if (second === undefined || !Number.isInteger(port) || port < 1 || port > 65_535 || more.length > 0)
      throw unclear(text);
    return { kind: 'docker', image: second, port };
  }
  const isAddress = words.length === 1 && /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i.test(first);
  return isAddress ? { kind: 'running', address: first } : { kind: 'command', words };
}

function unclear(text: string): PilotlightError {
  const forms = 'a command as node server.js, docker IMAGE PORT, or HOST:PORT';
  return new PilotlightError('USAGE', `what runs the service is ${forms}, not "${text}"`);
}

/** A configuration with one service, and comments that say what else there is. */
export function firstConfig({ listen, host, run }: FirstService): string {
  const route = host === '' ? '{ path: / }' : `{ host: ${quoted(host)}, path: / }`;
  const scaled = run.kind === 'running' ? [] : SCALE;
  return [
    '# Pilotlight: "pilotlight check" validates this file, "pilotlight run" serves it, SIGHUP reads it again.',
    '# Every option with its default: config/reference.yaml.',
    'listen:',
    `  - address: ${quoted(listen)}`,
    '',
    '# Where "pilotlight status" and the others find it; another address than a loopback one needs a token.',
    'admin:',
    '  address: 127.0.0.1:9400',
    '',
    'services:',
    '  app:',
    '    routes:',
    `      - ${route}`,
    ...runLines(run),
    ...scaled,
    '',
  ].join('\n');
}

const SCALE = [
  '    # It is ready when this path answers so.',
  '    ready: { path: /, status: 200-499 }',
  '    scale:',
  '      min: 0        # it sleeps when nobody needs it; 1: one replica is always there',
  '      max: 4',
  '      idle: auto    # how long it is kept without a request: what is cheapest, or a time such as 10m',
];

function runLines(run: ServiceRun): string[] {
  switch (run.kind) {
    case 'command':
      return [
        '    # How a replica is started: it has to listen on the port that it is given.',
        '    run:',
        `      process: { command: [${run.words.map(quoted).join(', ')}], env: { PORT: "{port}" } }`,
      ];
    case 'docker':
      return [
        '    # How a replica is started: a container of this image, which listens on this port.',
        '    run:',
        `      docker: { image: ${quoted(run.image)}, port: ${run.port} }`,
      ];
    case 'running':
      return [
        '    # Others run it: requests are spread over these addresses.',
        '    endpoints:',
        `      static: [${quoted(run.address)}]`,
      ];
  }
}

/** A YAML string in which nothing is substituted. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll('$', '$$$$'));
}
