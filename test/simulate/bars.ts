import { parseConfig } from '../../src/config/load/parse.ts';
import type { ServiceSettings } from '../../src/model/settings.ts';
import type { AppModel } from '../../src/simulate/app-model.ts';
import { constantRate, linearRates, openLoad, type Profile, sineRate, stepRates } from '../../src/simulate/load.ts';
import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import type { Scenario, SimulatedService } from '../../src/simulate/scenario.ts';
import { constant, exponential } from '../../src/simulate/service-time.ts';

/** One figure of an outcome, and the most that it may be. */
interface Figure {
  name: string;
  most: number;
  of: (services: readonly ServiceOutcome[]) => number;
}

/** A load with the figures that scaling is held to under it. */
interface Bar {
  name: string;
  scenario: (seed: number) => Scenario;
  figures: readonly Figure[];
}

const MINUTE_MS = 60_000;
const START = { startMs: 1500 };

/** Settings of a service as a file with this `scale` gives them: every default is the product's own. */
export function settingsOf(name: string, scale: string): ServiceSettings {
  const route = `routes: [{ host: ${name}.test }]`;
  const run = 'run: { process: { command: [app, "{port}"] } }';
  const text = `listen: [{ address: 127.0.0.1:8080 }]\nservices:\n  ${name}:\n    ${route}\n    ${run}\n    scale: { idle: never, ${scale} }\n`;
  const result = parseConfig(text, '/bars/pilotlight.yaml', {});
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.settings.services[0] as ServiceSettings;
}

function service(
  scale: string,
  app: AppModel,
  load: Profile,
  change: Partial<SimulatedService> = {},
): SimulatedService {
  return { settings: settingsOf('shop', scale), app, load: openLoad(load), start: START, ...change };
}

function one(seconds: number, ...parts: Parameters<typeof service>): (seed: number) => Scenario {
  return (seed) => ({ seconds, seed, services: [service(...parts)] });
}

const ABOVE = 'latency: { above: 500ms }';
/** One worker: `perSecond` of them in the long run. */
const worker = (perSecond: number): AppModel => ({ serviceTime: exponential(1000 / perSecond), slots: 1 });

const only = ([first]: readonly ServiceOutcome[]) => first as ServiceOutcome;
const starts = (most: number): Figure => ({ name: 'starts', most, of: (all) => only(all).starts });
const mostReplicas = (most: number): Figure => ({ name: 'most', most, of: (all) => only(all).mostReplicas });
const lastReplicas = (most: number): Figure => ({ name: 'last', most, of: (all) => settledOf(only(all)) });
/** How many there are at the end, as a rule: a trial that is just under way is none. */
const SETTLED_SECONDS = 300;
function settledOf({ series }: ServiceOutcome): number {
  const counts = series.slice(-SETTLED_SECONDS).map(({ ready, starting }) => ready + starting);
  return counts.sort((x, y) => x - y)[counts.length >> 1] ?? 0;
}
const over = (most: number): Figure => ({ name: 's over', most, of: (all) => only(all).secondsOver });
const replicaSeconds = (most: number): Figure => ({
  name: 'replica-s',
  most,
  of: (all) => Math.round(only(all).replicaSeconds),
});

const steps = (...points: [atMs: number, perSecond: number][]) =>
  stepRates(points.map(([atMs, perSecond]) => ({ atMs, perSecond })));

const TEN = `min: 1, max: 10, ${ABOVE}`;

export const bars: readonly Bar[] = [
  {
    name: 'step 10→150 rps, then 10',
    scenario: one(900, TEN, worker(50), steps([0, 10], [MINUTE_MS, 150], [5 * MINUTE_MS, 10])),
    figures: [replicaSeconds(2200), over(20)],
  },
  {
    name: 'shared lock',
    scenario: one(
      900,
      TEN,
      { serviceTime: constant(1), slots: 20, shared: { connections: 1, serviceTime: exponential(30) } },
      constantRate(40),
    ),
    figures: [mostReplicas(2), lastReplicas(1)],
  },
  {
    name: 'constant 400 ms',
    scenario: one(
      900,
      'min: 1, max: 10, latency: { above: 300ms }',
      { serviceTime: constant(400), slots: 100 },
      constantRate(30),
    ),
    figures: [mostReplicas(2), lastReplicas(1)],
  },
  {
    name: 'shared database',
    scenario: one(
      900,
      TEN,
      { serviceTime: exponential(5), slots: 50, shared: { connections: 5, serviceTime: exponential(100) } },
      constantRate(60),
    ),
    figures: [mostReplicas(2), lastReplicas(1)],
  },
  {
    name: 'half slow 500s',
    scenario: one(
      900,
      TEN,
      { serviceTime: exponential(20), slots: 100, errors: { share: 0.5, serviceTime: constant(2000) } },
      constantRate(20),
    ),
    figures: [mostReplicas(1)],
  },
  {
    name: 'sine 7–117 rps, 30 min',
    scenario: one(1800, TEN, worker(50), sineRate(7, 117, 10 * MINUTE_MS)),
    figures: [starts(12), over(100)],
  },
  {
    name: '×20 step',
    scenario: one(600, TEN, worker(50), steps([0, 10], [2 * MINUTE_MS, 200])),
    figures: [over(20)],
  },
  {
    name: '3 s spike',
    scenario: one(300, TEN, worker(50), steps([0, 10], [2 * MINUTE_MS, 150], [2 * MINUTE_MS + 3000, 10])),
    figures: [starts(1)],
  },
  {
    name: 'growth 8→160 rps at 20 each',
    scenario: one(
      900,
      `min: 1, max: 20, ${ABOVE}`,
      worker(20),
      linearRates([
        { atMs: 0, perSecond: 8 },
        { atMs: MINUTE_MS, perSecond: 8 },
        { atMs: 11 * MINUTE_MS, perSecond: 160 },
      ]),
    ),
    figures: [over(25), mostReplicas(15)],
  },
  {
    name: 'sheds at 3 × its capacity',
    scenario: one(300, TEN, { ...worker(50), shedsAbove: 5 }, steps([0, 10], [MINUTE_MS, 150])),
    figures: [{ name: '% shed after 20 s', most: 2, of: (all) => shedShare(only(all), 80) }],
  },
  {
    name: '9 replicas, one is enough',
    scenario: one(900, TEN, worker(50), constantRate(20), { running: 9 }),
    figures: [lastReplicas(1)],
  },
  {
    name: 'constant 5 s answers',
    scenario: one(
      900,
      'min: 1, max: 10, latency: { above: 1s }',
      { serviceTime: constant(5000), slots: 100 },
      constantRate(5),
    ),
    figures: [mostReplicas(2)],
  },
  {
    name: '130 rps for an hour',
    scenario: one(3660, TEN, worker(50), steps([0, 10], [MINUTE_MS, 130])),
    figures: [
      lastReplicas(3),
      { name: '3 at least: missing', most: 0, of: (all) => Math.max(0, 3 - settledOf(only(all))) },
    ],
  },
  {
    name: '1 ms at 300 rps, then 20 ms at 130',
    scenario: one(
      4200,
      TEN,
      { serviceTime: exponential(1), slots: 1, later: [{ fromMs: 10 * MINUTE_MS, serviceTime: exponential(20) }] },
      steps([0, 300], [10 * MINUTE_MS, 130]),
    ),
    figures: [starts(4)],
  },
  {
    name: 'burst of 16 × 40 ms at concurrency 2',
    scenario: one(
      120,
      `min: 1, max: 10, concurrency: 2, ${ABOVE}`,
      { serviceTime: constant(40), slots: 2 },
      steps([0, 2], [MINUTE_MS, 1600], [MINUTE_MS + 10, 2]),
    ),
    figures: [mostReplicas(2)],
  },
  {
    name: 'two services, 6 replicas, 5 needed each',
    scenario: (seed) => ({
      seconds: 600,
      seed,
      budget: { replicas: 6 },
      services: ['one', 'other'].map((name, index) => ({
        ...service(TEN, worker(20), steps([0, 5], [(1 + index) * MINUTE_MS, 80])),
        settings: settingsOf(name, TEN),
      })),
    }),
    figures: [{ name: 'largest', most: 3, of: (all) => Math.max(...all.map(settledOf)) }],
  },
];

/** Percent of the arrivals from a second on that were shed. */
function shedShare({ series }: ServiceOutcome, from: number): number {
  let arrivals = 0;
  let shed = 0;
  for (const point of series.slice(from)) {
    arrivals += point.arrivals;
    shed += point.shed;
  }
  return arrivals === 0 ? 0 : Math.round((1000 * shed) / arrivals) / 10;
}
