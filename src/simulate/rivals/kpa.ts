import type { Rival, RivalSample } from '../policy.ts';

const TICK_MS = 2000;
const STABLE_MS = 60_000;
const PANIC_MS = 6000;
const UTILISATION = 0.7;
const LEAST_TARGET = 0.01;
const PANIC_THRESHOLD = 2;
const MAX_UP_RATE = 1000;
const MAX_DOWN_RATE = 2;

/**
 * Knative's autoscaler on concurrency. What it does with a service that sleeps (the activator's poke, the grace period
 * before zero) is not part of it.
 * @param concurrency `containerConcurrency`: requests that a replica takes at once; Knative says 100 where it has no limit
 */
export function kpa(concurrency: number): Rival {
  const target = Math.max(LEAST_TARGET, concurrency * UTILISATION);
  return {
    name: 'kpa',
    everyMs: TICK_MS,
    create() {
      const samples: { atMs: number; concurrency: number }[] = [];
      let panic: { sinceMs: number; most: number } | undefined;

      const average = (nowMs: number, windowMs: number) => {
        const within = samples.filter(({ atMs }) => atMs > nowMs - windowMs);
        return within.reduce((sum, sample) => sum + sample.concurrency, 0) / within.length;
      };

      return {
        decide({ nowMs, ready: readyNow, concurrency: value }: RivalSample) {
          samples.push({ atMs: nowMs, concurrency: value });
          if ((samples[0]?.atMs ?? nowMs) <= nowMs - STABLE_MS) samples.shift();
          const ready = Math.max(1, readyNow);
          const most = Math.ceil(MAX_UP_RATE * ready);
          const least = Math.floor(ready / MAX_DOWN_RATE);
          const hold = (wanted: number) => Math.min(Math.max(wanted, least), most);
          const panicWanted = Math.ceil(average(nowMs, PANIC_MS) / target);
          const stable = hold(Math.ceil(average(nowMs, STABLE_MS) / target));

          if (panicWanted / ready >= PANIC_THRESHOLD) panic = { sinceMs: nowMs, most: panic?.most ?? 0 };
          else if (panic !== undefined && panic.sinceMs + STABLE_MS < nowMs) panic = undefined;
          if (panic === undefined) return stable;
          // While it panics, it never goes down.
          panic.most = Math.max(panic.most, stable, hold(panicWanted));
          return panic.most;
        },
      };
    },
  };
}
