import { join, relative } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findOrInstallChromium } from './chromium.ts';
import { ConsulAgent } from './consul-agent.ts';
import { findOrFetchConsul } from './consul-binary.ts';
import { dockerApi, listContainers, removeContainers, TEST_LABEL } from './docker-api.ts';
import { type DockerEngine, findOrStartDocker } from './docker-engine.ts';
import { ensureNodeImage } from './images.ts';
import { bundleProgram } from './program-file.ts';
import { isAlive, sweepRemains } from './remains.ts';
import { say } from './say.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the socket of a Docker engine that holds the image `pilotlight-test/node:1`. */
    dockerSocket: string;
    /** The value for the label `pilotlight.test` of containers: what carries it is removed at the end. */
    dockerRun: string;
    /** HTTP address of a Consul agent that all test files share: use names of your own. */
    consulAddress: string;
    /** The Consul program, for tests that start and restart agents of their own. */
    consulBinary: string;
    /** A browser, for `test/browser`. */
    chromium: string;
  }
}

/** The folders whose tests run against the real engines, and in a real browser. */
const NEEDING_ENGINES = ['docs/run', 'integration', 'scenarios'];
const NEEDING_BROWSER = ['browser'];
const RUN = `${process.pid}-${Date.now()}`;

let docker: DockerEngine | undefined;
let consul: ConsulAgent | undefined;
let chromium: string | undefined;

/** Starts a Docker engine and a Consul agent, and finds a browser, if one of the selected test files needs them. */
export async function setup(project: TestProject): Promise<void> {
  // Who watches changes the sources, and the tests are to start what they are then.
  if (!project.vitest.config.watch) await bundleProgram();
  await startIfNeeded(project, project.vitest.state.getPaths());
  project.onTestsRerun(async (files) => {
    await startIfNeeded(
      project,
      files.map((file) => file.moduleId),
    );
  });
}

/** Ends what `setup` started. */
export async function teardown(): Promise<void> {
  if (consul !== undefined) say('stopping the Consul agent');
  const ends = [removeOwnContainers(docker), consul?.stop()];
  [docker, consul] = [undefined, undefined];
  throwFailures(await Promise.allSettled(ends));
}

async function startIfNeeded(project: TestProject, files: readonly string[]): Promise<void> {
  if (chromium === undefined && hasAny(files, NEEDING_BROWSER)) {
    chromium = await findOrInstallChromium();
    project.provide('chromium', chromium);
  }
  if (docker !== undefined || !hasAny(files, NEEDING_ENGINES)) return;
  await sweepRemains();
  // Both are awaited whatever happens: what is missing is said in one go, and nothing starts after the end.
  throwFailures(await Promise.allSettled([provideDocker(project), provideConsul(project)]));
}

/** Whether any of the files is in one of the folders of `test/`. */
function hasAny(files: readonly string[], folders: readonly string[]): boolean {
  const paths = folders.map((folder) => join(import.meta.dirname, '..', folder));
  return files.some((file) => paths.some((path) => !relative(path, file).startsWith('..')));
}

async function provideDocker(project: TestProject): Promise<void> {
  docker = await findOrStartDocker();
  const call = dockerApi(docker.socket);
  await removeAbandoned(docker);
  await ensureNodeImage(call);
  project.provide('dockerSocket', docker.socket);
  project.provide('dockerRun', RUN);
}

async function provideConsul(project: TestProject): Promise<void> {
  const binary = await findOrFetchConsul();
  say(`starting a Consul agent (${binary})`);
  consul = await ConsulAgent.start(binary);
  project.provide('consulAddress', consul.address);
  project.provide('consulBinary', binary);
}

/** Removes the containers of runs that were broken off, from an engine that outlived them. */
async function removeAbandoned(engine: DockerEngine): Promise<void> {
  const call = dockerApi(engine.socket);
  const runs = (await listContainers(call, TEST_LABEL)).map(({ Labels }) => Labels[TEST_LABEL] ?? '');
  const abandoned = [...new Set(runs)].filter((run) => !isAlive(Number.parseInt(run, 10)));
  for (const run of abandoned) await removeContainers(call, `${TEST_LABEL}=${run}`);
}

async function removeOwnContainers(engine: DockerEngine | undefined): Promise<void> {
  if (engine === undefined) return;
  if (engine.foreign) await removeContainers(dockerApi(engine.socket), `${TEST_LABEL}=${RUN}`);
  await engine.stop();
}

function throwFailures(results: readonly PromiseSettledResult<unknown>[]): void {
  const failures = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
  if (failures.length === 0) return;
  const messages = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
  throw new Error(messages.join('\n'));
}
