/** What is learnt of services, and kept in the state directory over restarts. */
import { join } from 'node:path';
import { costForm } from './control/journal/cost-history.ts';
import { idleForm } from './control/scale/idle-learnt.ts';
import { LearntFiles, scalingForm } from './control/scale/learnt-store.ts';
import { ALL_SERVICES, siblingForm } from './control/scale/sibling-store.ts';
import type { Logger } from './model/observe.ts';
import type { Clock } from './util/clock.ts';

/** @param names of the services; undefined while a source does not answer: then nothing is removed */
export function openKept(folder: string, names: readonly string[] | undefined, clock: Clock, logger: Logger) {
  const stores = {
    learnt: new LearntFiles(join(folder, 'learnt'), names, clock, logger, scalingForm),
    idleLearnt: new LearntFiles(join(folder, 'idle'), names, clock, logger, idleForm),
    siblingsLearnt: new LearntFiles(join(folder, 'siblings'), [ALL_SERVICES], clock, logger, siblingForm),
    costs: new LearntFiles(join(folder, 'costs'), names, clock, logger, costForm),
  };
  const all = Object.values(stores);
  return {
    stores,
    release: () => Promise.all(all.map((each) => each.release())),
    resume: () => {
      for (const each of all) each.resume();
    },
  };
}
