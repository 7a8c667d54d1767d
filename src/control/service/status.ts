import type { EndpointCondition } from '../../model/balancing.ts';
import type { Decision, HeldBack } from '../../model/decision.ts';
import type { DiscoveredEndpoint } from '../../model/discovery.ts';
import type { HostImage } from '../../model/runtime.ts';
import type {
  LastActivity,
  RatesPerSecond,
  ReplicaStatus,
  ServiceStateName,
  ServiceStatus,
  StartFailure,
  Trouble,
} from '../../model/status.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import { hostPort } from '../../util/host-port.ts';
import { addressKey } from '../endpoints/verifier.ts';
import type { Telemetry } from '../link/telemetry.ts';
import type { Replica } from '../replica/replica.ts';
import type { ReplicaCounts } from '../replica/replica-view.ts';
import type { Freeze } from './freezes.ts';

/** Everything that the admin API shows of a service, as the control plane has it. */
interface StatusInputs {
  name: string;
  wakeable: boolean;
  counts: ReplicaCounts;
  replicas: readonly Replica[];
  external: readonly DiscoveredEndpoint[];
  failing: boolean;
  inFlight: number;
  held: number;
  heldForMs: number;
  perSecond: RatesPerSecond;
  inFlightOn: (endpoint: string) => number;
  conditionOf: (endpoint: string) => EndpointCondition | undefined;
  /** Of an endpoint, ms; undefined without data. */
  p95Of: (endpoint: string) => number | undefined;
  /** Of a run; undefined where nothing tells. */
  memoryOf: (run: string) => number | undefined;
  /** p50, p95 and p99 of the last window, ms. */
  quantiles: readonly (number | undefined)[];
  threshold: LatencyThreshold | null;
  lastActivity: LastActivity | null;
  lastDecision: Decision | null;
  freeze: Freeze | null;
  heldBack: HeldBack | null;
  schedule: ServiceStatus['schedule'];
  startFailure: StartFailure | null;
  images: readonly HostImage[] | undefined;
  runtimeTrouble: Trouble | undefined;
  otherTroubles: readonly (Trouble | undefined)[];
}

export function serviceStatus(inputs: StatusInputs): ServiceStatus {
  const {
    name,
    replicas,
    external,
    inFlight,
    held,
    heldForMs,
    perSecond,
    threshold,
    lastActivity,
    lastDecision,
    heldBack,
  } = inputs;
  const { startFailure, runtimeTrouble, otherTroubles } = inputs;
  const [p50 = null, p95 = null, p99 = null] = inputs.quantiles;
  return {
    name,
    state: stateName(inputs),
    replicas: [...replicas.map((each) => ownStatus(each, inputs)), ...external.map((e) => otherStatus(e, inputs))],
    inFlight,
    held,
    heldForMs,
    perSecond,
    latencyMs: { p50, p95, p99 },
    threshold,
    lastActivity,
    lastDecision,
    frozen: freezeOf(inputs.freeze),
    schedule: inputs.schedule,
    heldBack,
    startFailure,
    ...(inputs.images === undefined ? {} : { images: inputs.images }),
    // What a start failed of already need not be said twice.
    troubles: [runtimeTrouble, ...otherTroubles].filter(
      (trouble) => trouble !== undefined && trouble.code !== startFailure?.code,
    ) as Trouble[],
  };
}

/** What the idle clock goes by; null while no request was seen. @param wall the same moment as `now`, ms since the epoch */
export function lastActivity({ busy, last }: Telemetry, now: number, wall: number): LastActivity | null {
  if (last === undefined) return null;
  return { at: new Date(wall - (busy ? 0 : now - last.at)).toISOString(), what: last.request };
}

function stateName(inputs: StatusInputs): ServiceStateName {
  const { wakeable, counts, external, failing, held, runtimeTrouble } = inputs;
  if (counts.ready > 0 || external.length > 0) return wakeable && isAllUnhealthy(inputs) ? 'failing' : 'ready';
  if (!wakeable && counts.live === 0) return 'unavailable';
  if (counts.queued + counts.starting > 0) return 'waking';
  if (failing) return 'failing';
  if (counts.retiring + counts.stopping > 0) return 'retiring';
  if (runtimeTrouble !== undefined) return 'failing';
  return held > 0 ? 'waking' : 'asleep';
}

function isAllUnhealthy({ replicas, external, conditionOf }: StatusInputs): boolean {
  const ready = replicas.filter(({ state }) => state === 'ready').map(({ endpoint }) => endpoint);
  return [...ready, ...external.map(addressKey)].every((endpoint) => conditionOf(endpoint) === 'unhealthy');
}

function ownStatus(replica: Replica, inputs: StatusInputs): ReplicaStatus {
  const { inFlightOn, conditionOf, p95Of, memoryOf } = inputs;
  const { name, state, instance, address, endpoint } = replica;
  return {
    id: name,
    address: address === undefined ? null : hostPort(address),
    state,
    condition: replica.isServing ? conditionOf(endpoint) : undefined,
    inFlight: replica.isServing ? inFlightOn(endpoint) : 0,
    p95Ms: (replica.isServing ? p95Of(endpoint) : undefined) ?? null,
    memoryMiB: (instance === undefined ? undefined : memoryOf(instance.id)) ?? null,
    startedAt: instance === undefined ? null : new Date(instance.startedAt).toISOString(),
  };
}

function otherStatus(endpoint: DiscoveredEndpoint, { inFlightOn, conditionOf, p95Of }: StatusInputs): ReplicaStatus {
  const id = addressKey(endpoint);
  return {
    id,
    address: id,
    state: 'ready',
    condition: conditionOf(id),
    inFlight: inFlightOn(id),
    p95Ms: p95Of(id) ?? null,
    memoryMiB: null,
    startedAt: null,
  };
}

function freezeOf(freeze: Freeze | null): ServiceStatus['frozen'] {
  return freeze === null ? null : { until: new Date(freeze.until).toISOString(), reason: freeze.reason };
}
