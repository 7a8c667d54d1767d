import { join } from 'node:path';
import { makeApp } from '../../test/support/app.ts';
import type { Workspace } from '../../test/support/workspace.ts';
import type { Habit } from './crowd.ts';

/** What a configuration of the town has that others have not. */
export interface Variant {
  /** Another one is another `run` of the service `elastic`: its replicas are replaced. */
  generation: number;
  /** Addresses of all listeners; absent: the one that the proxy was given. */
  listen?: string[];
  /** Host of one more route. */
  route?: string;
}

const EVERYTHING: Habit['weights'] = {
  'kept GET': 30,
  'fresh GET': 15,
  POST: 12,
  'chunked POST': 12,
  stream: 6,
  download: 6,
  WebSocket: 8,
  'abort in body': 5,
  'abort in answer': 5,
};

/** Who lives in the town. The pauses between visits to `drowsy` are longer than it stays awake. */
export const HABITS: readonly Habit[] = [
  { users: 10, services: ['steady', 'elastic'], weights: EVERYTHING, pauseMs: [0, 200] },
  { users: 2, services: ['dozing'], weights: EVERYTHING, pauseMs: [0, 6000] },
  { users: 2, services: ['drowsy'], weights: EVERYTHING, pauseMs: [500, 3000] },
];

/** Services that are always there, that come and go with the load, and that fall asleep every now and then. */
const SCALES = {
  steady: { min: 2, max: 3, idle: 'never' },
  elastic: { max: 3, idle: '20s', concurrency: 6 },
  dozing: { max: 2, idle: '2s' },
  drowsy: { max: 1, idle: '200ms' },
};

/** Those that are put to sleep and woken by hand, too. */
export const SLEEPERS = ['elastic', 'dozing', 'drowsy'] as const;

/** Deadlines that only a request which is forgotten exceeds, however busy the machine is. */
const PATIENT = {
  ready: { path: '/', timeout: '60s' },
  hold: { timeout: '90s' },
  timeouts: { connect: '20s', firstByte: '60s' },
};

export const accessLogOf = ({ folder }: Workspace): string => join(folder, 'access.log');

type TownConfig = Record<string, unknown> & { services: Record<string, Record<string, unknown>> };

/** The configuration of the town, `listen` for its first listener excepted where there is no other. */
export async function townConfig(workspace: Workspace, workers: number, variant: Variant): Promise<TownConfig> {
  const { generation, listen, route } = variant;
  const services: TownConfig['services'] = {};
  for (const [name, scale] of Object.entries(SCALES)) {
    const mimic = { LOG: '/dev/null', LATENCY_MS: 5, ...(name === 'elastic' ? { GENERATION: generation } : {}) };
    const { host, service } = await makeApp(workspace, name, { mimic, service: { ...PATIENT, scale } });
    const more = name === 'dozing' && route !== undefined ? [{ host: route }] : [];
    services[name] = { ...service, routes: [{ host }, ...more] };
  }
  const listeners = listen === undefined ? {} : { listen: listen.map((address) => ({ address })) };
  return { ...listeners, workers, accessLog: { file: accessLogOf(workspace), format: 'json' }, services };
}
