import { resolve } from 'node:path';
import type { GuardSettings, ReadySettings, RunSettings, ServiceSettings, Settings } from '../../model/settings.ts';
import { scaleBounds } from '../check/scale-bounds.ts';
import type { Uses } from '../check/uses.ts';
import type { Parsed } from '../check/validate.ts';
import { endpointSettings } from '../schema/endpoints.ts';
import type { Config, ServiceConfig } from '../schema/schema.ts';
import { balancingSettings } from './assemble-balancing.ts';
import { routeRules } from './assemble-rules.ts';
import { freeze, Pool } from './compact.ts';
import type { EnvironmentDefaults } from './environment.ts';

type RunConfig = NonNullable<ServiceConfig['run']>;
type DockerConfig = NonNullable<RunConfig['docker']>;

/**
 * Settings from a checked configuration, frozen.
 * @param folder of the configuration file: what relative paths count from
 */
export function assemble(
  sections: Omit<Config, 'services' | 'defaults'>,
  services: Parsed['services'],
  uses: Uses,
  defaults: EnvironmentDefaults,
  folder: string,
): Settings {
  const { consul, docker } = sections;
  const pool = new Pool();
  return freeze({
    listen: sections.listen.map(({ address, timeouts: { head, body, keepAlive, send }, limits, proxyProtocol }) => ({
      address,
      timeouts: { headMs: head, bodyMs: body, keepAliveMs: keepAlive, sendMs: send },
      limits,
      proxyProtocol,
    })),
    trustedProxies: sections.trustedProxies,
    accessLog: accessLogSettings(sections.accessLog, folder),
    admin: { address: sections.admin.address, token: sections.admin.token },
    workers: sections.workers,
    state: sections.state === undefined ? defaults.state : resolve(folder, sections.state),
    consul: uses.consul
      ? {
          address: consul.address ?? defaults.consulAddress,
          token: consul.token ?? defaults.consulToken,
          caCert: consul.caCert === undefined ? defaults.consulCaCert : resolve(folder, consul.caCert),
          register: consul.register === 'false' ? false : consul.register,
          advertise: consul.advertise,
        }
      : undefined,
    docker: uses.docker ? { socket: docker.socket ?? defaults.dockerSocket, reach: docker.reach } : undefined,
    budget: sections.budget,
    services: [...services].map(([name, service]) => pool.share(serviceSettings(name, service, folder))),
  });
}

function accessLogSettings(section: Parsed['sections']['accessLog'], folder: string): Settings['accessLog'] {
  if (section?.file === undefined) return undefined;
  return { file: section.file === 'stdout' ? section.file : resolve(folder, section.file), format: section.format };
}

function serviceSettings(name: string, service: ServiceConfig, folder: string): ServiceSettings {
  const { hold, timeouts, scale } = service;
  const run = service.run && runSettings(service.run, folder);
  return {
    name,
    routes: service.routes.map((route) => ({
      host: route.host,
      path: route.path,
      ...(route.caseInsensitive ? { caseInsensitive: true } : {}),
      ...(route.ambiguousPaths === 'forward' ? { ambiguousPaths: 'forward' as const } : {}),
      maxBody: route.maxBody,
      rules: routeRules(route),
    })),
    endpoints: endpointSettings(service),
    run,
    ready: readySettings(service.ready),
    hold: {
      max: hold.max,
      maxBytes: hold.maxBytes,
      perClient: hold.perClient,
      timeoutMs: hold.timeout,
      page: hold.page,
    },
    scale: {
      ...scaleBounds(service),
      idleMs: scale.idle,
      activity: scale.activity,
      patienceMs: scale.patience,
      concurrency: scale.concurrency,
      latency: { aboveMs: scale.latency.above, quantile: scale.latency.quantile, windowMs: scale.latency.window },
      guards: guardSettings(scale.guards),
      dryRun: scale.dryRun,
    },
    ...balancingSettings(service),
    timeouts: {
      connectMs: timeouts.connect,
      firstByteMs: timeouts.firstByte,
      streamMs: timeouts.stream,
      tunnelMs: timeouts.tunnel,
      drainMs: timeouts.drain,
    },
    limits: service.limits,
    retries: service.retries,
    wake: service.wake.map(({ path, userAgent, then, status }) => ({ path, userAgent, then, status })),
    upstreamHost: service.upstreamHost,
    engine: service.engine,
    via: service.via,
    allowHalfOpen: service.allowHalfOpen,
    onExit: service.onExit ?? (run?.kind === 'process' ? 'stop' : 'keep'),
  };
}

function readySettings(ready: ServiceConfig['ready']): ReadySettings {
  if (ready.check === 'docker-health') return { kind: 'docker-health', timeoutMs: ready.timeout };
  const { min, max } = ready.status;
  return { kind: 'http', path: ready.path, host: ready.host, statusMin: min, statusMax: max, timeoutMs: ready.timeout };
}

function guardSettings(guards: ServiceConfig['scale']['guards']): GuardSettings {
  const { maxWindow, stepUpEvery, stepDownEvery, downWindow, sustainedHalfLife, warmUp, cooldown, ...counts } = guards;
  return {
    ...counts,
    maxWindowMs: maxWindow,
    stepUpEveryMs: stepUpEvery,
    stepDownEveryMs: stepDownEvery,
    downWindowMs: downWindow,
    sustainedHalfLifeMs: sustainedHalfLife,
    warmUpMs: warmUp,
    cooldownMs: cooldown,
  };
}

function runSettings({ docker, process }: RunConfig, folder: string): RunSettings {
  return docker === undefined
    ? processRun(process as NonNullable<RunConfig['process']>, folder)
    : dockerRun(docker, folder);
}

function processRun(run: NonNullable<RunConfig['process']>, folder: string) {
  const { command, cwd, env } = run;
  return {
    runtime: 'process',
    kind: 'process',
    command,
    cwd: resolve(folder, cwd),
    env,
    stop: stop(run.stop),
  } as const;
}

function dockerRun(docker: DockerConfig, folder: string) {
  const { image, container, port } = docker;
  if (container !== undefined) {
    return { runtime: 'docker', kind: 'docker-container', container, port, stop: stop(docker.stop) } as const;
  }
  return {
    runtime: 'docker',
    kind: 'docker',
    image: image as string,
    port,
    env: docker.env,
    memory: docker.memory,
    cpus: docker.cpus,
    command: docker.command,
    entrypoint: docker.entrypoint,
    user: docker.user,
    workdir: docker.workdir,
    volumes: docker.volumes.map((volume) => (volume.startsWith('.') ? absoluteSource(volume, folder) : volume)),
    networks: docker.networks,
    labels: docker.labels,
    readOnly: docker.readOnly,
    standby: docker.standby,
    stop: stop(docker.stop),
  } as const;
}

function absoluteSource(volume: string, folder: string): string {
  const colon = volume.indexOf(':');
  return resolve(folder, volume.slice(0, colon)) + volume.slice(colon);
}

function stop({ signal, grace }: { signal: string; grace: number }): { signal: string; graceMs: number } {
  return { signal, graceMs: grace };
}
