import type { ReplicaState } from '../../model/replica.ts';
import type { HostPort } from '../../model/settings.ts';
import type { EndpointStatus, OutOfUse } from '../../model/status.ts';
import { hostPort } from '../../util/host-port.ts';
import type { Registry } from '../endpoints/registry.ts';
import { addressKey } from '../endpoints/verifier.ts';
import type { Telemetry } from '../link/telemetry.ts';
import type { Replica } from '../replica/replica.ts';

/** What keeps a replica's address out of use by its state; those of other states are nowhere, or ready. */
const outOfUseIn: Partial<Record<ReplicaState, OutOfUse>> = {
  starting: 'starting',
  cordoned: 'draining',
  draining: 'draining',
  stopping: 'draining',
};

/** Where a service is: its replicas that have an address, then what sources list, each by address. */
export function endpointStatus(
  service: string,
  replicas: readonly Pick<Replica, 'name' | 'state' | 'address' | 'endpoint'>[],
  registry: Pick<Registry, 'listed' | 'byHand'>,
  telemetry: Pick<Telemetry, 'conditionOf' | 'loadOf'>,
): EndpointStatus[] {
  const byHandOf = (address: HostPort) => registry.byHand(service, address) ?? null;
  const own = replicas.flatMap(({ name, state, address, endpoint }): EndpointStatus[] => {
    const outOfUse = outOfUseIn[state];
    if (address === undefined || (state !== 'ready' && outOfUse === undefined)) return [];
    return [
      {
        address: hostPort(address),
        source: 'pilotlight',
        alsoListedBy: [],
        replica: name,
        ...inUse(outOfUse ?? telemetry.conditionOf(endpoint)),
        weight: byHandOf(address)?.weight ?? 1,
        backup: false,
        byHand: byHandOf(address),
        maxConnections: 0,
        inFlight: telemetry.loadOf(endpoint).inFlight,
      },
    ];
  });
  const others = registry
    .listed(service)
    .map(({ endpoint, sources: [source = '', ...others], outOfUse }): EndpointStatus => {
      const address = addressKey(endpoint);
      const { weight, backup = false, maxConnections = 0 } = endpoint;
      return {
        address,
        source,
        alsoListedBy: others,
        replica: null,
        ...inUse(outOfUse ?? telemetry.conditionOf(address)),
        weight: byHandOf(endpoint)?.weight ?? weight,
        backup,
        byHand: byHandOf(endpoint),
        maxConnections,
        inFlight: telemetry.loadOf(address).inFlight,
      };
    });
  return [...own.sort(byAddress), ...others.sort(byAddress)];
}

function inUse(outOfUse: OutOfUse | undefined): Pick<EndpointStatus, 'state' | 'reason'> {
  return outOfUse === undefined ? { state: 'in-use', reason: null } : { state: 'out-of-use', reason: outOfUse };
}

function byAddress(a: EndpointStatus, b: EndpointStatus): number {
  return a.address < b.address ? -1 : Number(a.address > b.address);
}
