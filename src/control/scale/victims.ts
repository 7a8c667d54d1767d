import type { ReplicaView } from '../replica/replica-view.ts';

/** A request in flight for longer than this is a long one, ms. */
const LONG_MS = 10_000;

/** Which replicas to take away first: those without a long request, of these the least busy, of equals the youngest. */
export function victimsFirst<Victim extends Pick<ReplicaView, 'ordinal' | 'readyAt' | 'inFlight' | 'oldestMs'>>(
  replicas: readonly Victim[],
): Victim[] {
  const isLong = ({ oldestMs }: Victim) => Number(oldestMs >= LONG_MS);
  return replicas.toSorted(
    (a, b) => isLong(a) - isLong(b) || a.inFlight - b.inFlight || b.readyAt - a.readyAt || b.ordinal - a.ordinal,
  );
}
