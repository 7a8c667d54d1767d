import type { ReplicaView } from '../../../src/control/replica/replica-view.ts';
import { newIntent, type ServiceView } from '../../../src/control/service/service-view.ts';
import { newCircuit } from '../../../src/control/start/circuit.ts';
import type { ScaleSettings } from '../../../src/model/settings.ts';
import { testScale } from './settings.ts';

/** A replica that has not been started yet. */
export function testReplica(ordinal: number, change: Partial<ReplicaView> = {}): ReplicaView {
  return { ordinal, state: 'created', doing: 'none', hash: 'v1', readyAt: 0, inFlight: 0, oldestMs: 0, ...change };
}

/** As an `idle` that is fixed says. */
function keepOf(idleMs: ScaleSettings['idleMs']): number | 'never' {
  if (idleMs === 'auto') throw new Error('the view says how long it is kept');
  return idleMs;
}

/** A service that sleeps, of which everything is known and nothing is asked. */
export function testView(scale: Partial<ScaleSettings> = {}, change: Partial<ServiceView> = {}): ServiceView {
  return {
    now: 0,
    news: { type: 'looked', cause: 'replacement' },
    intent: newIntent,
    scale: { ...testScale, ...scale },
    floor: { replicas: scale.min ?? testScale.min, cause: 'min', changesAt: undefined },
    expected: undefined,
    keepMs: keepOf(scale.idleMs ?? testScale.idleMs),
    isKeptLonger: false,
    run: { hash: 'v1', contact: 'known', prepares: false },
    pausedMs: 'ever',
    replicas: [],
    external: 0,
    circuit: newCircuit,
    budgetLeft: Number.POSITIVE_INFINITY,
    gives: [],
    sickAfterMs: 15_000,
    held: 0,
    inFlight: 0,
    arrivalsPerSecond: 0,
    capacityPerSecond: undefined,
    isFresh: true,
    isBusy: false,
    isSilent: true,
    lastActivityAt: Number.NEGATIVE_INFINITY,
    isDraining: false,
    isFrozen: false,
    mayStart: true,
    mayEnd: true,
    ...change,
  };
}
