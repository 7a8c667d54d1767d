import type { Logger } from '../../model/observe.ts';
import { counted } from '../../util/format.ts';
import type { HoldQueue } from '../hold/hold-queue.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/**
 * Ends what has been under way for longer than a draining service allows: refuses what waits, cuts what is in flight,
 * and closes tunnels in order. Logs one line if there was anything.
 * @param name of the service
 * @param before requests that came at or before then have had their time; the clock's ms
 */
export function endOverdue(
  name: string,
  queue: HoldQueue,
  endpoints: Iterable<Endpoint>,
  before: number,
  now: number,
  logger: Logger,
): void {
  let refused = 0;
  for (let each = queue.first; each !== undefined; ) {
    const next = each.nextHeld;
    if (each.startedAt <= before) {
      each.refuse('DRAINING');
      refused++;
    }
    each = next;
  }
  let cut = 0;
  let tunnels = 0;
  let oldestMs = 0;
  for (const endpoint of endpoints) {
    for (let each = endpoint.first; each !== undefined; ) {
      const next = each.nextInFlight;
      if (each.startedAt <= before) {
        oldestMs = Math.max(oldestMs, now - each.startedAt);
        if (each.isTunnel) tunnels++;
        else cut++;
        each.cutOff('retired', 'DRAIN_OVER');
      }
      each = next;
    }
  }
  if (refused + cut + tunnels === 0) return;
  const parts = [
    ...(cut > 0 ? [`${counted(cut, 'request')} cut`] : []),
    ...(tunnels > 0 ? [`${counted(tunnels, 'tunnel')} closed`] : []),
    ...(refused > 0 ? [`${counted(refused, 'waiting request')} refused`] : []),
  ];
  const age = cut + tunnels > 0 ? `, the oldest ${Math.round(oldestMs / 100) / 10} s old` : '';
  const fields = { service: name, cut, tunnels, refused, oldestMs: Math.round(oldestMs) };
  logger.warn(fields, `the drain of ${name} is over: ${parts.join(', ')}${age}`);
}
