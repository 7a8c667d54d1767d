import fc from 'fast-check';
import type { ServiceOutcome } from '../../../src/simulate/outcome.ts';
import { boundsOf, type Case, eachOf, finalRateOf, outcomesOf, type ServiceCase, settingsOf } from './case.ts';
import { between, loadText, pieces, SHAPES, secondsOf, shapes, type World } from './generate.ts';
import { alwaysFaults, type Faults, settledReplicas, stuckFaults } from './invariants.ts';
import { type Steady, steadyStates } from './oracle.ts';

const SETTLING_SECONDS = 1800;
/** A replica that is drained, or that starts, is on its way for a while. */
const PATIENCE_SECONDS = 150;

const one = fc.record({
  kind: fc.constantFrom('helps', 'helps', 'helps', 'lock'),
  // Of times with a long tail the threshold is passed by chance on any number of replicas: no share is right.
  shape: shapes.filter((shape) => shape !== 'pareto'),
  each: fc.constantFrom(5, 10),
  ease: fc.constantFrom(10, 20),
  start: between(1, 10),
  pieces: pieces(90),
  last: between(10, 75),
});
type One = typeof one extends fc.Arbitrary<infer Given> ? Given : never;

/** What is asked for is by the budget, so that it may be too small for both. */
function serviceCase({ kind, shape, each, ease, start, last, pieces: all }: One, replicas: number): ServiceCase {
  const meanMs = Math.round(1000 / each);
  const time = SHAPES[shape](meanMs);
  const guards = 'guards: { failedFor: 10m }';
  return {
    service: `scale: { min: 1, max: ${replicas}, idle: never, latency: { above: ${meanMs * ease}ms }, ${guards} }`,
    app: `${kind === 'lock' ? `time:1ms,slots:50,lock:${time}` : `time:${time},slots:1`},start:${start}s`,
    load: loadText(all, last, each * (kind === 'lock' ? 2 : replicas)),
    running: 1,
  };
}

/** Two services share a budget of replicas: neither starves, and neither keeps what it does not need. */
export const sharing: World = {
  name: 'two services on one budget',
  runs: 3,
  cases: fc
    .record({ replicas: between(2, 8), first: one, other: one, seed: between(1, 1000) })
    .map(({ replicas, first, other, seed }) => ({
      ...serviceCase(first, replicas),
      seconds: Math.max(secondsOf(first.pieces, 0), secondsOf(other.pieces, 0)) + SETTLING_SECONDS,
      seed,
      shared: { replicas, other: serviceCase(other, replicas) },
    })),
  async faultsOf(of) {
    const { replicas, other } = of.shared as NonNullable<Case['shared']>;
    const [first, second] = (await outcomesOf(of)) as [ServiceOutcome, ServiceOutcome];
    const needs = [await needOf(of, of), await needOf(other, of)] as const;
    return [
      ...budgetFaults(first, second, replicas),
      ...faultsOfOne(of, first, needs[0], shareOf(needs[0].enough, needs[1].enough, replicas), replicas),
      ...faultsOfOne(other, second, needs[1], shareOf(needs[1].enough, needs[0].enough, replicas), replicas),
    ];
  },
};

/** How many replicas a service needs in the end. */
interface Need {
  /** With so many it is not slow; as many as there are where no number of them does. */
  enough: number;
  /** With so many it is calm all the time; undefined where no number of them is. */
  calm: number | undefined;
}

async function needOf(one: ServiceCase, { seed, seconds, shared }: Case): Promise<Need> {
  const most = shared?.replicas ?? 1;
  const least = isHelped(one) ? Math.ceil(finalRateOf(one) / eachOf(one)) : 1;
  const { service, app, load, running } = one;
  const alone = { service, app, load, running, seed, seconds };
  const states: readonly Steady[] = await steadyStates(alone, finalRateOf(one), least, isHelped(one) ? most : 1);
  const last = states.at(-1);
  const enough = isHelped(one) ? (states.find(({ over }) => over <= 0.1)?.replicas ?? most) : 1;
  return { enough, calm: last?.notCalm === 0 ? last.replicas : undefined };
}

const isHelped = ({ app }: ServiceCase) => !app.includes('lock');

/** Max–min fair for two: what it needs, as far as half of all, and beyond that what the other one does not need. */
function shareOf(need: number, others: number, replicas: number): number {
  return Math.max(Math.min(need, Math.floor(replicas / 2)), Math.min(need, replicas - others));
}

/** Together there are never more than the budget has. */
function budgetFaults(first: ServiceOutcome, second: ServiceOutcome, replicas: number): Faults {
  const most = first.series.reduce((highest, { ready, starting, retiring }, index) => {
    const beside = second.series[index];
    const others = beside === undefined ? 0 : beside.ready + beside.starting + beside.retiring;
    return Math.max(highest, ready + starting + retiring + others);
  }, 0);
  return most > replicas ? [`${most} replicas of both, ${replicas} at most`] : [];
}

function faultsOfOne(of: ServiceCase, outcome: ServiceOutcome, need: Need, share: number, replicas: number): Faults {
  const { min } = settingsOf(of).scale;
  const { least, most } = settledReplicas(outcome);
  const faults = alwaysFaults(outcome, boundsOf(of));
  // Whatever the other one wants, half of all is its own.
  if (isHelped(of)) faults.push(...stuckFaults(outcome, eachOf(of), Math.floor(replicas / 2), PATIENCE_SECONDS));
  if (most < share) faults.push(`${most} replicas at the end, though ${share} are its fair share`);
  if (need.calm !== undefined && least > Math.max(min, need.calm + 1))
    faults.push(`${least} replicas at the end, though ${need.calm} are calm all the time`);
  return faults.map((fault) => `${outcome.service}: ${fault}`);
}
