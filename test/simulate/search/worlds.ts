import fc from 'fast-check';
import { boundsOf, eachOf, finalRateOf, outcomeOf, settingsOf } from './case.ts';
import {
  between,
  join,
  loadText,
  pieces,
  rarely,
  SETTLING_SECONDS,
  SHAPES,
  secondsOf,
  shapes,
  type World,
} from './generate.ts';
import { alwaysFaults, changesOf, mostWithin, settledFaults, settledReplicas, stuckFaults } from './invariants.ts';
import { closedStates, steadyStates } from './oracle.ts';
import { rising } from './rising.ts';
import { sharing } from './two-on-a-budget.ts';

/** Replicas add up: each does as much as it does alone. */
const helping: World = {
  name: 'replicas help',
  runs: 4,
  cases: fc
    .record({
      shape: shapes,
      each: fc.constantFrom(5, 10, 20),
      slots: fc.constantFrom(1, 2, 4, 8),
      cpu: fc.boolean(),
      ease: fc.constantFrom(6, 10, 20),
      min: between(1, 2),
      room: between(1, 6),
      last: between(20, 75),
      pieces: pieces(90),
      running: between(1, 3),
      start: between(1, 15),
      warmUp: rarely(between(2, 4)),
      shed: rarely(between(2, 40)),
      errors: rarely(between(1, 8)),
      isLimited: fc.boolean(),
      patience: rarely(between(10, 60)),
      seed: between(1, 1000),
    })
    .map((given) => {
      const { shape, each, cpu, ease, min, room, start, warmUp, shed, errors, isLimited, patience } = given;
      const slots = Math.max(1, Math.min(given.slots, Math.floor(each * 0.4)));
      const max = Math.max(min + 1, Math.min(min + room, Math.ceil(80 / each)));
      const meanMs = Math.round(((cpu ? 1 : slots) * 1000) / each);
      const aboveMs = Math.max(100, meanMs * ease);
      // Where most give up before they are answered, nobody can tell what an increase was good for.
      const patienceMs = patience === undefined ? undefined : 10 * aboveMs + patience * 1000;
      const scale = join(
        `min: ${min}`,
        ` max: ${max}`,
        ` idle: never`,
        ` latency: { above: ${aboveMs}ms }`,
        isLimited ? ` concurrency: ${slots}` : undefined,
        ` guards: { failedFor: 10m }`,
      );
      return {
        service: `scale: { ${scale} }`,
        app: join(
          `time:${SHAPES[shape](meanMs)}`,
          `slots:${slots}`,
          cpu ? 'cpu' : undefined,
          `start:${start}s`,
          warmUp === undefined ? undefined : `warm-up:${warmUp}x/10s`,
          shed === undefined ? undefined : `shed:${shed}`,
          errors === undefined ? undefined : `errors:${errors}%:5ms`,
        ),
        load:
          loadText(given.pieces, given.last, each * max) +
          (patienceMs === undefined ? '' : `,patience:${patienceMs}ms`),
        running: Math.min(max, Math.max(min, given.running)),
        seconds: secondsOf(given.pieces, SETTLING_SECONDS),
        seed: given.seed,
      };
    }),
  async faultsOf(of) {
    const outcome = await outcomeOf(of);
    const { min, max } = settingsOf(of).scale;
    const each = eachOf(of);
    const states = await steadyStates(of, finalRateOf(of), Math.ceil(finalRateOf(of) / each), max);
    return [
      ...alwaysFaults(outcome, boundsOf(of)),
      ...stuckFaults(outcome, each, max, 150),
      ...settledFaults(states, outcome, min),
    ];
  },
};

/** Whatever is slow does not get faster with more replicas. */
const useless: World = {
  name: 'nothing helps',
  runs: 4,
  cases: fc
    .record({
      kind: fc.constantFrom('lock', 'database', 'slow', 'errors'),
      shape: shapes,
      ms: between(10, 60),
      connections: between(2, 5),
      share: between(30, 100),
      pieces: pieces(150),
      last: between(50, 140),
      min: between(1, 2),
      seed: between(1, 1000),
      patience: rarely(between(2, 20)),
      start: between(1, 15),
    })
    .map(({ kind, shape, ms, connections, share, patience, ...given }) => {
      const time = SHAPES[shape](ms);
      // What all of it can do per second, together.
      const whole = kind === 'database' ? (connections * 1000) / ms : kind === 'lock' ? 1000 / ms : 20;
      const app: Record<string, string> = {
        lock: `time:1ms,slots:50,lock:${time}`,
        database: `time:2ms,slots:50,database:${connections}:${time}`,
        slow: `time:${SHAPES[shape](400)},slots:500`,
        errors: `time:10ms,slots:100,errors:${share}%:${SHAPES[shape](900)}`,
      };
      const aboveMs = kind === 'lock' || kind === 'database' ? Math.max(50, 10 * ms) : 200;
      const scale = `min: ${given.min}, max: 10, idle: never, latency: { above: ${aboveMs}ms }`;
      const end = patience === undefined ? '' : `,patience:${patience}s`;
      return {
        service: `scale: { ${scale} }`,
        app: `${app[kind]},start:${given.start}s`,
        load: loadText(given.pieces, given.last, Math.min(whole, 25)) + end,
        running: given.min,
        seconds: secondsOf(given.pieces, 3600),
        seed: given.seed,
      };
    }),
  async faultsOf(of) {
    const outcome = await outcomeOf(of);
    const ups = changesOf(outcome).filter(({ entry }) => entry.to > entry.from);
    const starts = mostWithin(
      ups.map(({ at }) => at),
      3600,
    );
    const faults = alwaysFaults(outcome, boundsOf(of));
    if (starts > USELESS_STARTS) faults.push(`${starts} increases in an hour, though none helps`);
    const { mostReplicas: most } = outcome;
    if (most > of.running + USELESS_REPLICAS) faults.push(`${most} replicas, though none helps`);
    const { least } = settledReplicas(outcome);
    if (least > of.running + 1) faults.push(`${least} replicas at the end, though none helps`);
    return faults;
  },
};
/** Increases in an hour where none helps: 120 s, doubled each time, are six; far more arrivals lift it a few times. */
const USELESS_STARTS = 8;
/** Two may be in doubt, and a third makes it certain. */
const USELESS_REPLICAS = 3;

/** Replicas end by themselves, get sick, or do not start. */
const ailing: World = {
  name: 'replicas ail',
  runs: 4,
  cases: fc
    .record({
      crash: rarely(fc.tuple(between(1, 300), between(1, 3))),
      sick: rarely(fc.tuple(between(5, 300), fc.constantFrom('errors', 'nothing'), between(1, 3))),
      fails: rarely(fc.constantFrom('1', '3', '20%', '60%')),
      each: fc.constantFrom(5, 10, 20),
      min: between(0, 3),
      room: between(1, 4),
      last: between(10, 75),
      pieces: pieces(90),
      start: between(1, 10),
      seed: between(1, 1000),
    })
    .map(({ crash, sick, fails, each, min, room, last, pieces: all, start, seed }) => {
      const max = Math.max(1, min) + room;
      const scale = `min: ${min}, max: ${max}, latency: { above: 500ms }`;
      return {
        service: `scale: { ${scale} }, health: { path: /, interval: 5s }`,
        app: join(
          `time:exponential:${Math.round(1000 / each)}ms,slots:1`,
          `start:${start}s`,
          crash && `crash:${crash[0]}s:every:${crash[1]}`,
          sick && `sick:${sick[0]}s:${sick[1]}:first:${sick[2]}`,
          fails && `start-fails:${fails}`,
        ),
        load: loadText(all, last, each * max),
        running: Math.max(1, min),
        seconds: secondsOf(all, 1800),
        seed,
      };
    }),
  async faultsOf(of) {
    const outcome = await outcomeOf(of);
    const { max } = settingsOf(of).scale;
    const faults = alwaysFaults(outcome, boundsOf(of, false));
    const isCrashing = of.app.includes('crash');
    const isFailing = of.app.includes('%');
    // Of each place the second crash waits for 1 s, then twice as long each time, up to 5 min: 8 + 12 an hour.
    const most = 20 * max + 10;
    if (outcome.starts > most) faults.push(`${outcome.starts} starts in ${of.seconds} s`);
    const last = outcome.series.slice(-300);
    const sum = (pick: (point: (typeof last)[number]) => number) =>
      last.reduce((total, point) => total + pick(point), 0);
    const bad =
      sum(({ errors, lost }) => errors + lost) /
      Math.max(
        1,
        sum(({ arrivals }) => arrivals),
      );
    if (!isCrashing && !isFailing && bad > 0.05)
      faults.push(`${Math.round(bad * 100)} % of the last 5 min failed, though only the first replicas got sick`);
    return faults;
  },
};

/** As many clients as there are wait for their answers. */
const closed: World = {
  name: 'clients wait for their answers',
  runs: 3,
  cases: fc
    .record({
      shape: shapes,
      clients: between(1, 60),
      thinkMs: fc.constantFrom(200, 1000, 3000),
      meanMs: between(10, 200),
      slots: fc.constantFrom(1, 2, 8),
      max: between(2, 8),
      running: between(1, 8),
      seed: between(1, 1000),
    })
    .map(({ shape, clients, thinkMs, meanMs, slots, max, running, seed }) => ({
      service: `scale: { min: 1, max: ${max}, idle: never, latency: { above: ${Math.max(100, meanMs * 8)}ms }, guards: { failedFor: 10m } }`,
      app: `time:${SHAPES[shape](meanMs)},slots:${slots},start:2s`,
      load: `closed:${clients},think:exponential:${thinkMs}ms`,
      running: Math.min(max, running),
      seconds: 2400,
      seed,
    })),
  async faultsOf(of) {
    const outcome = await outcomeOf(of);
    const { max } = settingsOf(of).scale;
    const states = await closedStates(of, max);
    return [...alwaysFaults(outcome, boundsOf(of)), ...settledFaults(states, outcome, 1)];
  },
};

export const worlds: readonly World[] = [helping, rising, useless, ailing, closed, sharing];
