import { PilotlightError } from '../../model/errors.ts';
import type { EndpointByHand, EndpointStatus } from '../../model/status.ts';
import type { Replica } from '../replica/replica.ts';
import type { RetireReason } from '../replica/retire.ts';
import { assertInCharge } from './by-hand.ts';
import type { ServiceController } from './controller.ts';
import type { ServiceHost } from './host.ts';

/**
 * Does what an operator wants of one endpoint, and says so. A replica of ours that is to be drained retires in two phases
 * as it would by itself, so nothing is kept of it; whatever others run is cordoned until that is taken back.
 * @returns all endpoints of the service as they are then
 * @throws ENDPOINT_UNKNOWN, REPLICA_NOT_READY, HANDING_OVER
 */
export function changeEndpoint(
  host: ServiceHost,
  service: ServiceController,
  address: string,
  change: Partial<EndpointByHand>,
): EndpointStatus[] {
  const { context, registry } = host;
  const { name, lifecycle } = service;
  const { drain, weight } = change;
  assertInCharge(host);
  const endpoint = service.endpoints().find((each) => each.address === address);
  // What is away may be given back what it was, and comes so.
  if (endpoint === undefined && !registry.isByHand(name, address)) {
    const message = `${name} has no endpoint ${address}: "pilotlight endpoints ${name}" lists them`;
    throw new PilotlightError('ENDPOINT_UNKNOWN', message);
  }
  const replica = lifecycle.set.replicas.find((each) => each.name === endpoint?.replica);
  if (replica !== undefined && drain !== undefined) refuseTooSoonOrLate(replica, address, drain);
  const before = registry.setOf(name, address);
  const drains = replica === undefined ? before.drain : retires(replica, drain === true ? 'drained' : undefined);
  const isSame = (drain ?? drains) === drains && (weight === undefined || weight === before.weight);
  if (isSame) return service.endpoints();
  registry.setByHand(name, address, replica === undefined ? change : { ...(weight !== undefined && { weight }) });
  if (replica !== undefined && drain !== undefined) {
    service.changedByHand();
    lifecycle.drainByHand(replica.ordinal, drain);
  }
  const data = { address, ...(drain !== undefined && { drain }), ...(weight != null && { weight }) };
  context.events.emit('endpoint-changed', name, `${name} ${whatOf(address, change)} (by hand)`, data);
  return service.endpoints();
}

/** Whether it retires: for one reason, or for any. */
function retires({ task }: Replica, reason: RetireReason | undefined): boolean {
  return task.kind === 'retire' && (reason === undefined || task.retirement.reason === reason);
}

/** Who is starting takes no requests that it could finish, and who is being stopped does not come back. */
function refuseTooSoonOrLate({ name, state, task }: Replica, address: string, drain: boolean): void {
  if (drain && state === 'starting') {
    const message = `${name} at ${address} is starting and takes no requests yet: "scale" has fewer replicas`;
    throw new PilotlightError('REPLICA_NOT_READY', message);
  }
  if (!drain && task.kind === 'retire' && !task.retirement.revocable)
    throw new PilotlightError(
      'REPLICA_NOT_READY',
      `${name} at ${address} is being stopped: it is too late to have it back`,
    );
}

function whatOf(address: string, { drain, weight }: Partial<EndpointByHand>): string {
  const parts = [
    ...(drain === undefined ? [] : [drain ? `drains ${address}` : `uses ${address} again`]),
    ...(weight === undefined ? [] : [`weighs ${address} ${weight === null ? 'as listed' : `with ${weight}`}`]),
  ];
  return parts.join(' and ');
}
