/** What the sources are checked against. */
export interface Rules {
  /** Folder (or file) of src → the other folders that it may import. Everything may import util and model. */
  mayImport: Record<string, readonly string[]>;
  /**
   * Folder of src → its rooms (subfolders, and files that lie in none) from top to bottom: a room imports only what
   * comes after it.
   */
  rooms: Record<string, readonly string[]>;
  /** Folders of src whose subfolders do not import each other: each is a kind of the same thing. */
  apart: readonly string[];
  /** Folders, rooms or files of src that may spell out the name of a kind, beside its own folder. */
  kindsIn: readonly string[];
  /** Package → the only places in src that may import it: a folder each, or how the paths of its files begin. */
  confined: Record<string, string | readonly string[]>;
  /** Folders of src that run in browsers: of other folders they import types alone, and nothing of Node's. */
  inBrowsers: readonly string[];
  /** Folders of src that may read `process.env`. */
  environmentIn: readonly string[];
  /** Folders of test that mirror no folder of src. */
  testsOfTheirOwn: readonly string[];
  /** Most lines of a file of src. */
  mostLines: number;
}

export const RULES: Rules = {
  mayImport: {
    'main.ts': [
      'admin',
      'certificates',
      'cli',
      'cluster-in-use.ts',
      'config',
      'consul-in-use.ts',
      'control',
      'control-api.ts',
      'control-plane.ts',
      'declared.ts',
      'discovery',
      'edge',
      'logged-edge.ts',
      'observe',
      'own-plane.ts',
      'parts.ts',
      'runtime',
      'workers',
    ],
    'cluster-in-use.ts': ['cli', 'control', 'control-plane.ts'],
    'consul-in-use.ts': ['discovery'],
    'control-api.ts': ['control'],
    'control-plane.ts': ['control', 'kept.ts'],
    'declared.ts': ['config', 'discovery'],
    'kept.ts': ['control'],
    'own-plane.ts': ['control', 'logged-edge.ts', 'workers'],
    'parts.ts': ['discovery', 'runtime'],
    'index.ts': ['cli', 'config', 'main.ts'],
    'program.ts': ['certificates', 'cli', 'control', 'first.ts', 'main.ts'],
    'pilotlight.ts': ['first.ts', 'program.ts'],
    'first.ts': [],
    'worker.ts': ['logged-edge.ts', 'observe', 'workers'],
    'logged-edge.ts': ['edge', 'observe'],
    cli: ['config', 'simulate'],
    config: [],
    model: [],
    edge: [],
    control: [],
    certificates: [],
    discovery: [],
    runtime: [],
    admin: [],
    dashboard: [],
    observe: [],
    simulate: ['control'],
    workers: [],
    util: [],
  },

  rooms: {
    config: ['generate', 'declare', 'load', 'changes', 'check', 'schema', 'option', 'read'],
    edge: [
      'edge.ts',
      'client',
      'tcp',
      'exchange',
      'route',
      'service',
      'hold',
      'health',
      'compress',
      'answer',
      'balance',
      'upstream',
      'http2',
      'http1',
      'io',
    ],
    control: [
      'cluster',
      'create-control.ts',
      'control.ts',
      'service',
      'journal',
      'scale',
      'replica',
      'start',
      'endpoints',
      'link',
      'retry.ts',
      'context.ts',
    ],
  },

  apart: ['discovery', 'runtime'],

  kindsIn: ['cli/init-text.ts', 'config/schema', 'config/check', 'declared.ts', 'main.ts'],

  confined: {
    dockerode: ['runtime/docker/', 'runtime/swarm/', 'runtime/engine'],
    consul: 'discovery/consul/',
    zod: 'config/',
    yaml: 'config/',
    pino: 'observe/',
    '@opentelemetry/api': 'observe/traces/',
    '@opentelemetry/exporter-trace-otlp-http': 'observe/traces/',
    '@opentelemetry/resources': 'observe/traces/',
    '@opentelemetry/sdk-trace-base': 'observe/traces/',
    'cli-table3': 'cli/',
    uplot: ['simulate/report/', 'dashboard/'],
    'node-cache': 'admin/',
    croner: 'util/cron',
    'http-proxy': 'edge/upstream/http-proxy-engine',
  },

  inBrowsers: ['dashboard'],

  environmentIn: ['config', 'cli', 'index.ts'],

  testsOfTheirOwn: [
    'docs',
    'browser',
    'conformance',
    'demo',
    'integration',
    'load-tests',
    'main',
    'property',
    'scenarios',
    'soak',
    'support',
    'toolchain',
  ],

  mostLines: 450,
};
