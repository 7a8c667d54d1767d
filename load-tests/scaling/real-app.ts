import type { AppModel } from '../../src/simulate/app-model.ts';
import type { Random } from '../../src/simulate/random.ts';
import type { ScaledService } from './scenario.ts';

/** What the mimic is told so that it behaves as the model does; the times of requests are told by their paths. */
export function mimicOf(
  { app, startMs }: ScaledService,
  dependency: string | undefined,
): Record<string, string | number> {
  const { slots, shedsAbove, crash, sick } = app;
  return {
    // Node itself takes the rest of the time.
    LISTEN_MS: Math.max(0, startMs - 100),
    SLOTS: slots,
    ...(dependency === undefined ? {} : { DEPENDENCY: dependency }),
    ...(shedsAbove === undefined ? {} : { SHED_ABOVE: shedsAbove }),
    ...(crash === undefined ? {} : { CRASH_MS: crash.afterMs }),
    ...(sick === undefined ? {} : { SICK_MS: sick.afterMs }),
    ...(sick?.first === undefined ? {} : { SICK_FIRST: sick.first }),
  };
}

/** The path of a request that is due then: it says how long the app works on it, and how it answers. */
export function pathOf(app: AppModel, random: Random): (atMs: number) => string {
  return (atMs) => {
    if (app.errors !== undefined && random() < app.errors.share) {
      return `/?status=500&delay=${app.errors.serviceTime.sample(random).toFixed(2)}`;
    }
    const time = app.later?.findLast(({ fromMs }) => fromMs <= atMs)?.serviceTime ?? app.serviceTime;
    return `/?delay=${time.sample(random).toFixed(2)}`;
  };
}
