import type { Node } from './api.ts';

/** A host of the swarm. */
export interface Host {
  id: string;
  name: string;
  /** Where it is reached. */
  address: string;
  isDown: boolean;
  isDrained: boolean;
  /** When Swarm changed what it says of it, as when its engine joined again, ms since the epoch. */
  changedAt: number;
}

export function hostOf({ ID, UpdatedAt, Spec, Description, Status, ManagerStatus }: Node): Host {
  // A manager may know only as a manager where others reach it.
  const isTold = Status.Addr !== undefined && Status.Addr !== '' && Status.Addr !== '0.0.0.0';
  const address = isTold ? Status.Addr : ManagerStatus?.Addr?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return {
    id: ID,
    name: Description.Hostname,
    address: address ?? '',
    isDown: Status.State === 'down',
    isDrained: Spec.Availability === 'drain',
    changedAt: Date.parse(UpdatedAt),
  };
}
