import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceStatus } from '../../src/model/status.ts';
import { openLoad } from '../../src/simulate/load.ts';
import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import { createRandom, streamSeed } from '../../src/simulate/random.ts';
import { type App, makeApp } from '../../test/support/app.ts';
import { lastLines, run } from '../../test/support/command.ts';
import { dockerApi, removeContainers } from '../../test/support/docker-api.ts';
import { killMarked } from '../../test/support/marked-processes.ts';
import { MARK_LABEL } from '../../test/support/marks.ts';
import { PacedLoad } from '../../test/support/paced-load.ts';
import { MAIN } from '../../test/support/program-file.ts';
import { RunningProxy } from '../../test/support/proxy.ts';
import { epochNow, pause } from '../../test/support/raw-client.ts';
import { decisionsOf } from '../../test/support/scaling.ts';
import { type SharedResource, shareResource } from '../../test/support/shared-resource.ts';
import { until } from '../../test/support/until.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { mimicOf, pathOf } from './real-app.ts';
import { outcomeOf } from './record.ts';
import type { LiveStage, ScaledService, ScalingScenario } from './scenario.ts';
import { settingsOf } from './settings.ts';

/** What a real run came to. */
export interface Played {
  services: ServiceOutcome[];
  /** `pilotlight why` of each service at the end, as printed. */
  why: string[];
  /** The journal of all of them. */
  journal: string;
  /** What `pilotlight replay` says of it: its last line, and whether it decides as it did. */
  replayed: { summary: string; isSame: boolean };
}

/** Between two looks at the replicas, ms. */
const LOOK_EVERY_MS = 250;

/**
 * Runs a scenario on the real program: a proxy, real replicas, and clients who send whether or not they are answered.
 * Whatever it starts has ended when this settles.
 * @param dockerSocket of an engine; used only by scenarios that run in Docker
 */
export async function play(scenario: ScalingScenario, seed: number, dockerSocket: string): Promise<Played> {
  const workspace = await makeWorkspace(dockerSocket);
  const resources: SharedResource[] = [];
  try {
    const parts = await Promise.all(scenario.services.map((service) => prepare(service)));
    return await perform(scenario, parts, seed, workspace);
  } finally {
    for (const resource of resources) resource.close();
    killMarked(workspace.mark);
    if (scenario.place !== undefined)
      await removeContainers(dockerApi(dockerSocket), `${MARK_LABEL}=${workspace.mark}`);
    await rm(workspace.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async function prepare(service: ScaledService): Promise<Part> {
    const { shared } = service.app;
    const random = createRandom(streamSeed(seed, `${service.name} shared`));
    const resource = shared && (await shareResource(shared.connections, shared.serviceTime, random));
    if (resource !== undefined) resources.push(resource);
    const mimic = mimicOf(service, resource?.address);
    const make = (more: Record<string, string | number>) =>
      makeApp(workspace, service.name, {
        mimic: { ...mimic, ...more },
        service: service.config,
        ...(scenario.place && { place: scenario.place }),
      });
    return { service, app: await make({}), make };
  }
}

interface Part {
  service: ScaledService;
  app: App;
  /** The same app with other settings. */
  make: (mimic: Record<string, string | number>) => Promise<App>;
}

async function perform(scenario: ScalingScenario, parts: Part[], seed: number, workspace: Workspace): Promise<Played> {
  const { seconds, budget, place, meanwhile } = scenario;
  const configOf = (apps: readonly App[]) => ({
    ...(budget && { budget }),
    ...(place && { docker: { socket: workspace.dockerSocket, reach: 'container' } }),
    services: Object.fromEntries(apps.map(({ name, service }) => [name, service])),
  });
  const apps = parts.map(({ app }) => app);
  const proxy = await (await RunningProxy.launch({ workspace, config: configOf(apps) })).ready();
  for (const { service } of parts) await settled(proxy, service);

  const looks = new Map<string, { at: number; status: ServiceStatus }[]>(apps.map(({ name }) => [name, []]));
  const look = async () => {
    // On a machine that has too much to do one may come too late; the next one sees the same.
    const services = await proxy.services().catch(() => []);
    for (const status of services) looks.get(status.name)?.push({ at: epochNow(), status });
  };
  await look();
  const loads = parts.map(({ service, app }) => clients(service, app, proxy.port, seed));
  const beganAt = epochNow();
  const reached = async (ms: number) => {
    await pause(Math.max(0, beganAt + Math.min(ms, seconds * 1000) - epochNow()));
    return ms <= seconds * 1000;
  };
  const deploy: LiveStage['deploy'] = async (mimic) => {
    const changed = await Promise.all(parts.map((part, index) => (index === 0 ? part.make(mimic) : part.app)));
    await proxy.reload(configOf(changed));
  };
  const event = meanwhile?.({ proxy, apps, deploy, reached }) ?? Promise.resolve();
  event.catch(() => undefined);
  for (let at = LOOK_EVERY_MS; await reached(at); at += LOOK_EVERY_MS) await look();
  await event;
  const stopping = Promise.all(loads.map((load) => load.stop()));

  const told = await Promise.all(apps.map(({ name }) => askWhy(proxy, name, seconds)));
  const sent = await stopping;
  const services = parts.map(({ service, app }, index) => {
    const { aboveMs, quantile } = settingsOf(service).scale.latency;
    if (aboveMs === 'auto') throw new Error(`${app.name}: a scenario says what is too slow`);
    const samples = (sent[index] ?? []).filter(({ dueAt }) => dueAt <= beganAt + seconds * 1000);
    const seen = { service: app.name, beganAt, seconds, samples, looks: looks.get(app.name) ?? [], aboveMs, quantile };
    return outcomeOf({ ...seen, events: app.log.events(), decisions: told[index]?.decisions ?? [] });
  });
  await proxy.stop();
  const file = join(proxy.folder, 'state/journal/decisions.jsonl');
  const why = told.map(({ text }) => text);
  return { services, why, journal: await readFile(file, 'utf8'), replayed: await replay(file) };
}

function replay(file: string): Promise<Played['replayed']> {
  return run(process.execPath, [MAIN, 'replay', file]).then(
    (said) => ({ summary: lastLines(said, 1), isSame: true }),
    (error: Error) => ({ summary: error.message, isSame: false }),
  );
}

/** What was decided about a service since shortly before its load, as printed and as data. */
async function askWhy(proxy: RunningProxy, service: string, seconds: number) {
  const admin = `http://127.0.0.1:${proxy.adminPort}`;
  const text = await run(process.execPath, [MAIN, 'why', service, '--admin', admin, '--since', `${seconds + 60}s`]);
  return { text, decisions: await decisionsOf(proxy, service) };
}

/** Waits until as many replicas run as are to run without any load. */
async function settled(proxy: RunningProxy, { name, config }: ScaledService): Promise<void> {
  const min = Number(config.scale['min'] ?? 0);
  const ready = async () => (await proxy.service(name)).replicas.filter(({ state }) => state === 'ready').length >= min;
  await until(`${name} has ${min} replicas`, ready, 60_000, 100);
}

function clients({ load, app: model, name }: ScaledService, app: App, port: number, seed: number): PacedLoad {
  const arrivals = openLoad(load);
  const random = createRandom(streamSeed(seed, `${name} arrivals`));
  const path = pathOf(model, createRandom(streamSeed(seed, `${name} work`)));
  return PacedLoad.start({ port, host: app.host, path, rate: (after) => arrivals.next(after, random) });
}
