import { resolve } from 'node:path';
import type { GuardSettings, ReadySettings, ServiceSettings, Settings } from '../../model/settings.ts';
import { scaleBounds } from '../check/scale-bounds.ts';
import type { Parsed } from '../check/validate.ts';
import { endpointSettings } from '../schema/endpoints.ts';
import { partSettings, type Uses } from '../schema/parts.ts';
import { onExitOf, runSettings } from '../schema/run.ts';
import type { Config, ServiceConfig } from '../schema/schema.ts';
import { balancingSettings } from './assemble-balancing.ts';
import { routeRules } from './assemble-rules.ts';
import { freeze, Pool } from './compact.ts';
import type { EnvironmentDefaults } from './environment.ts';

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
    parts: partSettings(sections, uses, defaults, folder),
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
    onExit: service.onExit ?? onExitOf(service.run),
  };
}

function readySettings(ready: ServiceConfig['ready']): ReadySettings {
  if (ready.check === 'docker-health') return { kind: 'own-check', timeoutMs: ready.timeout };
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
