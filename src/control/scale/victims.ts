import type { ReplicaLoad } from '../link/telemetry.ts';
import type { Replica } from '../replica/replica.ts';

/** A request in flight for longer than this is a long one, ms. */
const LONG_MS = 10_000;

/** Which replicas to take away first: those without a long request, of these the least busy, of equals the youngest. */
export function victimsFirst(replicas: readonly Replica[], loadOf: (endpoint: string) => ReplicaLoad): Replica[] {
  const isLong = ({ oldestMs }: ReplicaLoad) => Number(oldestMs >= LONG_MS);
  return replicas
    .map((replica) => ({ replica, load: loadOf(replica.endpoint) }))
    .sort(
      (a, b) =>
        isLong(a.load) - isLong(b.load) ||
        a.load.inFlight - b.load.inFlight ||
        b.replica.readyAt - a.replica.readyAt ||
        b.replica.ordinal - a.replica.ordinal,
    )
    .map(({ replica }) => replica);
}
