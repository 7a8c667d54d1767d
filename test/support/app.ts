import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Standby } from '../../src/model/settings.ts';
import { dockerApi, expectStatus, listContainers } from './docker-api.ts';
import { buildAppImage } from './images.ts';
import { MARK_LABEL, MARK_VARIABLE, RUN_LABEL } from './marks.ts';
import { MimicLog } from './mimic-log.ts';
import type { Workspace } from './workspace.ts';

/** Where the replicas of an app run, and how the proxy reaches them. */
export type Place = 'process' | 'docker-container' | 'docker-host' | 'docker-existing';

export interface AppOptions {
  place?: Place;
  /** Settings of the mimic, without their prefix: `{ LISTEN_MS: 1000 }`. */
  mimic?: Record<string, string | number>;
  /** Keys of the service in the configuration, `run` excepted. */
  service?: Record<string, unknown>;
  /** From the stop signal to the kill. */
  grace?: string;
  /** What is left of a replica while the service sleeps. */
  standby?: Standby;
}

/** A mimic as a service of the proxy: the configuration of it, and what its replicas write down. */
export interface App {
  name: string;
  place: Place;
  /** The Host under which it is routed. */
  host: string;
  service: Record<string, unknown>;
  log: MimicLog;
  /** Opens a gate: of requests with `?gate=NAME`, and of the port where that is its `LISTEN_GATE`. */
  open: (gate: string) => void;
}

const MIMIC = join(import.meta.dirname, 'mimic.mjs');
const IMAGE = 'pilotlight-test/mimic:1';
const CONTAINER_PORT = 3000;

/** The ids of the scenario's containers that run, or are in another state. */
export async function runningContainers(workspace: Workspace, state = 'running'): Promise<string[]> {
  const containers = await listContainers(dockerApi(workspace.dockerSocket), `${MARK_LABEL}=${workspace.mark}`);
  return containers.filter(({ State }) => State === state).map(({ Id }) => Id);
}

/** The name of an existing container that serves as an app. */
export const containerName = (workspace: Workspace, app: string): string => `mimic-${workspace.mark}-${app}`;

/** Describes an app; for those that run in Docker also makes the image, and the container where it must exist. */
export async function makeApp(workspace: Workspace, name: string, options: AppOptions): Promise<App> {
  const { place = 'process', service = {} } = options;
  const run = place === 'process' ? processRun(workspace, name, options) : await dockerRun(workspace, name, options);
  const host = `${name}.test`;
  const always = { routes: [{ host, path: '/' }], run, ready: { path: '/', status: '200-499', timeout: '20s' } };
  const log = new MimicLog(join(workspace.folder, `${name}.log`));
  const open = (gate: string) => writeFileSync(`${join(workspace.folder, name)}.gate-${gate}`, '');
  return { name, place, host, log, open, service: { ...always, ...service } };
}

function processRun(workspace: Workspace, name: string, { mimic = {}, grace, standby }: AppOptions): unknown {
  const env = { ...mimicEnv(workspace.folder, name, mimic), PORT: '{port}', HOST: '127.0.0.1' };
  const command = [process.execPath, MIMIC];
  const stop = grace === undefined ? {} : { stop: { signal: 'SIGTERM', grace } };
  const own = { ...stop, ...(standby !== undefined && { standby }) };
  return { process: { command, cwd: workspace.folder, env: { ...env, [MARK_VARIABLE]: workspace.mark }, ...own } };
}

async function dockerRun(workspace: Workspace, name: string, options: AppOptions): Promise<unknown> {
  const { place, mimic = {}, grace, standby } = options;
  const call = dockerApi(workspace.dockerSocket);
  const image = await buildAppImage(call, {
    tag: IMAGE,
    files: { '/app/mimic.mjs': MIMIC },
    cmd: ['node', '/app/mimic.mjs'],
    env: { PORT: String(CONTAINER_PORT) },
    exposed: [CONTAINER_PORT],
  });
  const env = mimicEnv('/mimic', name, mimic);
  const volumes = [`${workspace.folder}:/mimic`];
  const stop = grace === undefined ? {} : { stop: { signal: 'SIGTERM', grace } };
  const own = { ...stop, ...(standby !== undefined && { standby }) };
  const labels = { [MARK_LABEL]: workspace.mark, [RUN_LABEL]: workspace.run };
  if (place !== 'docker-existing') {
    return { docker: { image, port: CONTAINER_PORT, env, volumes, labels, ...own } };
  }
  const container = containerName(workspace, name);
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const spec = { Image: image, Env: variables, Labels: labels, HostConfig: { Binds: volumes } };
  expectStatus(await call('POST', `/containers/create?name=${container}`, spec), 201);
  return { docker: { container, port: CONTAINER_PORT, ...own } };
}

function mimicEnv(folder: string, name: string, mimic: Record<string, string | number>): Record<string, string> {
  const own = Object.entries(mimic).map(([key, value]) => [`MIMIC_${key}`, String(value)]);
  const files = {
    MIMIC_LOG: join(folder, `${name}.log`),
    MIMIC_COUNTER: join(folder, `${name}.starts`),
    MIMIC_GATE: join(folder, `${name}.gate-`),
  };
  return { ...files, ...Object.fromEntries(own) };
}
