import type { RefusalCode } from '../../model/refusals.ts';
import type { Clock } from '../../util/clock.ts';
import type { Service } from './service.ts';

/** What of the edge decides whether somebody may wait. */
interface AdmissionContext {
  readonly clock: Clock;
  /** No new work is accepted. */
  readonly draining: boolean;
  /** … but another process brings about what is waited for. */
  readonly handingOver: boolean;
}

/**
 * Decides whether somebody may wait for the service. Those who yield their places first may lose them by it.
 * @param address of the client
 * @param front it was dispatched before
 * @returns why it may not wait; undefined: it may
 */
export function holdRefusal(
  service: Service,
  address: string,
  front: boolean,
  { clock, draining, handingOver }: AdmissionContext,
): RefusalCode | undefined {
  const { policy, queue, statistics } = service;
  const isAsleep = !service.isReady;
  if (isAsleep && !policy.wakeable) return 'NO_ENDPOINT';
  // What was accepted before a drain may wait for a slot, but it causes no start.
  if (draining && !handingOver && (isAsleep || !front)) return 'DRAINING';
  const isBlocked = isAsleep && service.blockedUntil > clock.now();
  const refusal = isBlocked ? 'START_BLOCKED' : queue.makeRoom(address, policy.hold);
  if (refusal !== undefined) statistics.holdRefused(refusal);
  return refusal;
}
