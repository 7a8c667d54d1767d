import type { Place } from '../../../test/support/app.ts';
import { lastReplicas, lost, notAnswered, starts } from '../checks.ts';
import type { ScalingScenario } from '../scenario.ts';
import { serviceOf, steps, worker } from './models.ts';

const NOT_SIMULATED = 'versions are not simulated';
const HEALTH = { health: { path: '/health', interval: '2s' } };

interface Deploy {
  name: string;
  shows: string;
  asked: string;
  seconds: number;
  /** How the new version differs. */
  mimic: Record<string, number>;
  mostStarts: number;
  mostLost: number;
  place?: Place;
}

function deploy({ name, shows, asked, seconds, mimic, mostStarts, mostLost, place }: Deploy): ScalingScenario {
  return {
    name,
    shows,
    asked: `20 rps; a new version ${asked}`,
    seconds,
    services: [serviceOf(worker(50), steps([0, 20]))],
    ...(place && { place }),
    meanwhile: async (stage) => {
      await stage.reached(10_000);
      await stage.deploy(mimic);
    },
    notSimulated: NOT_SIMULATED,
    checks: [starts(mostStarts, 1), notAnswered(mostLost)],
  };
}

const diesAfterThree = {
  name: 'version that dies',
  shows: 'a version that dies in its probation gives way to the one before',
  asked: 'that dies 3 s after it was ready',
  seconds: 90,
  mimic: { CRASH_MS: 3000 },
  mostStarts: 7,
  mostLost: 5,
};

/** Replicas that fail. */
export const failures: readonly ScalingScenario[] = [
  deploy({
    name: 'version that exits',
    shows: 'a version that does not start leaves the one before serving',
    asked: 'that exits before it is ready',
    seconds: 60,
    mimic: { EXIT_CODE: 3, EXIT_MS: 200 },
    mostStarts: 7,
    mostLost: 0,
  }),
  deploy(diesAfterThree),
  deploy({ ...diesAfterThree, name: 'version that dies in Docker', place: 'docker-container' }),
  deploy({
    name: 'version that dies late',
    shows: 'a version that dies later than its probation is started ever less often',
    asked: 'that dies 15 s after it was ready',
    seconds: 120,
    mimic: { CRASH_MS: 15_000 },
    mostStarts: 6,
    mostLost: 400,
  }),
  {
    name: 'sick one of three',
    shows: 'a replica that fails its checks is replaced while the others serve',
    asked: '60 rps on three replicas, one of which falls sick after 20 s',
    seconds: 90,
    services: [
      serviceOf({ ...worker(50), sick: { afterMs: 20_000, first: 1, answers: 'errors' } }, steps([0, 60]), {
        scale: { min: 3 },
        more: HEALTH,
      }),
    ],
    checks: [starts(1, 1), lastReplicas(3, 3), lost(60)],
  },
  {
    name: 'sick only one',
    shows: 'so is the only one, which was 100 % errors for good',
    asked: '20 rps on one replica, which falls sick after 20 s',
    seconds: 90,
    services: [
      serviceOf({ ...worker(50), sick: { afterMs: 20_000, first: 1, answers: 'errors' } }, steps([0, 20]), {
        more: HEALTH,
      }),
    ],
    checks: [starts(1, 1), lastReplicas(1, 1)],
  },
];
