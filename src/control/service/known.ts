import type { ServiceSettings } from '../../model/settings.ts';
import type { Telemetry } from '../link/telemetry.ts';
import { sickAfter } from '../replica/replica-health.ts';
import type { ReplicaSet } from '../replica/replica-set.ts';
import type { Floor } from '../scale/floor.ts';
import type { StartBreaker } from '../start/breaker.ts';
import type { ServiceHost } from './host.ts';
import type { Idling } from './idling.ts';
import type { ServiceRun } from './run.ts';
import type { ServiceEvent } from './service-event.ts';
import type { ServiceFloor } from './service-floor.ts';
import type { Intent, ServiceView } from './service-view.ts';

/** Who knows what of one service. */
export interface Known {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  /** Answers per second that one replica is known to manage; undefined while unknown. */
  capacity: () => number | undefined;
  /** How long it is kept when it is idle. */
  idling: Idling;
  /** The fewest replicas now. */
  floor: ServiceFloor;
  set: ReplicaSet;
  run: ServiceRun;
  breaker: StartBreaker;
}

/** All that is known of the service when something has happened, as plain data. */
export function viewOf(known: Known, news: ServiceEvent, intent: Intent): ServiceView {
  const { host, telemetry, idling, set } = known;
  const { name, health, routes } = known.settings();
  const group = host.groups.viewOf(name);
  const own = known.floor.now;
  const floor: Floor = group !== undefined && group.min > own.replicas ? { ...own, replicas: 1, cause: 'group' } : own;
  const { scale } = known.floor.settings(floor);
  const now = host.context.clock.now();
  const replicas = set.views();
  const external = host.registry.external(name).length;
  const { held } = telemetry;
  const isAsleep = external === 0 && replicas.every(({ state }) => state !== 'ready');
  const isAsked = held > 0 || intent.isWoken;
  return {
    now,
    news,
    intent,
    scale,
    floor,
    expected: idling.expected,
    // What nothing leads to from outside is never idle by itself, and goes with the others.
    keepMs: group !== undefined && routes.length === 0 ? 0 : idling.keepMs,
    pausedMs: idling.pausedMs,
    isKeptLonger: idling.isRaised,
    run: known.run.view,
    replicas,
    external,
    circuit: known.breaker.circuit,
    budgetLeft: host.gate.leftFor(name),
    gives: host.gate.givesOf(name),
    sickAfterMs: health === undefined ? 0 : sickAfter(health.intervalMs),
    held,
    inFlight: telemetry.active,
    arrivalsPerSecond: isAsleep && isAsked ? telemetry.window.arrivalsBefore(now, scale.latency.windowMs) : 0,
    capacityPerSecond: known.capacity(),
    isFresh: host.hub.fresh,
    isBusy: telemetry.busy || group?.isNeeded === true,
    isSilent: telemetry.silent,
    lastActivityAt: telemetry.lastActivityAt,
    isDraining: host.isDraining(),
    isFrozen: host.freezes.of(name) !== undefined,
    mayStart: host.mayStart() && group?.mayStart !== false,
    mayEnd: host.mayEnd(),
  };
}
