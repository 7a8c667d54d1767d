import type { GuardSettings, ScaleSettings, ServiceSettings, Settings } from '../../../src/model/settings.ts';
import type { ImageRun } from '../../../src/runtime/docker/settings.ts';
import type { ProcessRun } from '../../../src/runtime/process/settings.ts';
import { imageRun } from '../../runtime/docker/containers.ts';
import { listenSettings } from '../../support/listen-settings.ts';

/** As they are by default: `test/config/schema/defaults.test.ts` holds the schema to them. */
export const testGuards: GuardSettings = {
  minSamples: 20,
  maxWindowMs: 300_000,
  ticks: 3,
  errors: 0.2,
  shed: 0.05,
  saturatedArrivals: 20,
  saturatedMs: 3000,
  saturatedAnswered: 0.9,
  saturatedGrowth: 0.1,
  saturatedLoad: 2,
  utilisation: 0.8,
  backlogMs: 7500,
  stepUp: 8,
  stepUpEveryMs: 15_000,
  evidenceHalfLifeMs: 3_600_000,
  trendMs: 40_000,
  failedForMs: 3_600_000,
  benefitMs: 1000,
  benefitSamples: 200,
  noBenefitMs: 30_000,
  benefitPatienceMs: 60_000,
  benefitGiveUpMs: 300_000,
  benefitShare: 0.5,
  benefitLeast: 0.1,
  freezeMs: 120_000,
  freezeMaxMs: 1_800_000,
  liftAt: 1.5,
  stepDownEveryMs: 60_000,
  downWindowMs: 300_000,
  downBelow: 0.6,
  downPeak: 0.9,
  downTrialMs: 60_000,
  downRevertAt: 0.9,
  downRetryMs: 300_000,
  surplusMs: 60_000,
  flapBurst: 4,
  flapPerHour: 12,
  flapWithinMs: 600_000,
  warmUpMs: 5000,
  warmUpRequests: 50,
  warmUpMaxMs: 60_000,
  cooldownMs: 60_000,
  autoTimes: 2,
  autoLeastMs: 50,
  autoFirstMs: 1000,
  autoSamples: 100,
  autoEveryMs: 60_000,
  autoKeepMs: 86_400_000,
};

export const testScale: ScaleSettings = {
  min: 0,
  schedule: [],
  max: 4,
  initial: 1,
  idleMs: 300_000,
  weight: 150,
  pausedCost: 0.5,
  activity: 'bytes',
  patienceMs: 900_000,
  concurrency: 0,
  latency: { aboveMs: 1000, quantile: 0.95, windowMs: 15_000 },
  shed: [503],
  guards: testGuards,
  dryRun: false,
};

/** A `run`; another `version` has another hash. */
export function testRun(version = 1): ProcessRun {
  return {
    runtime: 'process',
    kind: 'process',
    command: ['app'],
    cwd: '/',
    env: { V: String(version) },
    stop: { signal: 'SIGTERM', graceMs: 5000 },
  };
}

/** A `run` of containers of an image, which are pre-positioned. */
export function testImage(image: string): ImageRun {
  return imageRun({ image, port: 80, stop: testRun().stop });
}

export type ServiceChange = Partial<Omit<ServiceSettings, 'scale' | 'timeouts'>> & {
  scale?: Partial<ScaleSettings>;
  timeouts?: Partial<ServiceSettings['timeouts']>;
};

export function testService(name: string, { scale, timeouts, ...change }: ServiceChange = {}): ServiceSettings {
  return {
    name,
    routes: [{ host: `${name}.test`, path: '/' }],
    endpoints: {},
    run: testRun(),
    ready: { kind: 'http', path: '/', statusMin: 200, statusMax: 499, timeoutMs: 60_000 },
    hold: { max: 1000, maxBytes: 2 ** 24, perClient: 0, timeoutMs: 'auto', page: 'auto' },
    balance: 'least-request',
    hashOn: { kind: 'client' },
    sticky: undefined,
    slowStartMs: 0,
    outlier: { consecutive: 5, intervalMs: 10_000, ejectMs: 30_000, maxEjectMs: 300_000, maxShare: 0.5 },
    health: undefined,
    limits: { head: 65_536, fields: 256, chunkExtensions: 16_384, trailers: 16_384 },
    retries: { max: 1, budget: 0.1, idempotent: false },
    wake: [],
    upstreamHost: undefined,
    engine: 'native',
    allowHalfOpen: false,
    onExit: 'stop',
    ...change,
    scale: { ...testScale, ...scale },
    timeouts: {
      connectMs: 2000,
      firstByteMs: 60_000,
      streamMs: 300_000,
      tunnelMs: 3_600_000,
      drainMs: 30_000,
      ...timeouts,
    },
  };
}

export function testSettings(services: ServiceSettings[], change: Partial<Settings> = {}): Settings {
  const base = {
    listen: [listenSettings({}, { host: '127.0.0.1', port: 8080 })],
    trustedProxies: [],
    accessLog: undefined,
    admin: { address: { host: '127.0.0.1', port: 9400 }, token: undefined },
    workers: 1,
    state: '/nowhere',
    parts: {},
    budget: { replicas: 50, concurrentStarts: 4, startsPerMinute: 60, heldBytes: 2 ** 26 },
    prices: {
      currency: 'EUR',
      replicaHour: undefined,
      memoryHour: undefined,
      cpuHour: undefined,
      waitedHour: undefined,
    },
    services,
  };
  return { ...base, ...change } as Settings;
}
