import fc from 'fast-check';
import { boundsOf, eachOf, finalRateOf, outcomeOf, settingsOf } from './case.ts';
import { between, SETTLING_SECONDS, SHAPES, shapes, type World } from './generate.ts';
import { alwaysFaults, settledFaults, stuckFaults } from './invariants.ts';
import { steadyStates } from './oracle.ts';

/** More than they can do is waited with for so long at most, s, beside the time of a start. */
const PATIENCE_SECONDS = 90;

/** More and more is asked of replicas that help: whatever was in vain on the way, none is missing for long. */
export const rising: World = {
  name: 'arrivals keep rising',
  runs: 1,
  cases: fc
    .record({
      shape: shapes,
      each: fc.constantFrom(5, 10, 20),
      slots: fc.constantFrom(1, 2, 4),
      ease: fc.constantFrom(6, 10, 20),
      max: between(3, 10),
      first: between(10, 90),
      last: between(50, 85),
      minutes: between(2, 15),
      start: between(1, 15),
      seed: between(1, 1000),
    })
    .map(({ shape, each, slots, ease, max, first, last, minutes, start, seed }) => {
      const meanMs = Math.round((slots * 1000) / each);
      const scale = `min: 1, max: ${max}, idle: never, latency: { above: ${meanMs * ease}ms }, guards: { failedFor: 10m }`;
      const from = Math.max(1, Math.round((first * each) / 100));
      const to = Math.max(from + 1, Math.round((last * each * max) / 100));
      return {
        service: `scale: { ${scale} }`,
        app: `time:${SHAPES[shape](meanMs)},slots:${slots},start:${start}s`,
        load: `ramp:${from}..${to}/${minutes}m for ${minutes}m then constant:${to}`,
        running: 1,
        seconds: minutes * 60 + SETTLING_SECONDS,
        seed,
      };
    }),
  async faultsOf(of) {
    const outcome = await outcomeOf(of);
    const { min, max } = settingsOf(of).scale;
    const each = eachOf(of);
    const startSeconds = Number(/start:(\d+)s/.exec(of.app)?.[1]);
    const states = await steadyStates(of, finalRateOf(of), Math.ceil(finalRateOf(of) / each), max);
    return [
      ...alwaysFaults(outcome, boundsOf(of)),
      ...stuckFaults(outcome, each, max, PATIENCE_SECONDS + 2 * startSeconds),
      ...settledFaults(states, outcome, min),
    ];
  },
};
