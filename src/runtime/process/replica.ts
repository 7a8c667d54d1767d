import type { Instance } from '../../model/runtime.ts';
import type { ProcessEnding } from './ending.ts';
import type { ProcessRecord } from './record.ts';
import { isFrozen } from './table.ts';

/** A process that was started here or found by its record. */
export interface Replica {
  readonly record: ProcessRecord;
  /** Of our own child the kernel tells the end; an adopted process has to be looked at. */
  readonly origin: 'child' | 'adopted';
  phase: 'running' | 'stopping' | 'exited';
  /** A signal has stopped it, as was seen last: whose change that is has to be told. */
  isFrozen: boolean;
  ending: ProcessEnding | undefined;
  /** Where its output begins in its log, bytes; `cut`: before what is left of it. */
  outputFrom: number | 'cut';
  /** Of one that ended by itself: whether another program listens on its port. */
  portTaken?: Promise<boolean>;
}

/** Tells one run of a replica from another. */
export function idOf({ pid, start }: ProcessRecord): string {
  return `${pid}@${start}`;
}

export function isExited(replica: Replica): boolean {
  return replica.phase === 'exited';
}

/** What a process means to others, after a look at whether it is frozen. */
export function instanceOf(replica: Replica): Instance {
  const { service, ordinal, hash, port, startedAt } = replica.record;
  const running = !isExited(replica);
  const frozen = running && isFrozen(replica.record.pid);
  return {
    id: idOf(replica.record),
    service,
    ordinal,
    hash,
    state: frozen ? 'paused' : running ? 'running' : 'stopped',
    address: running ? { host: '127.0.0.1', port } : undefined,
    otherHost: running ? '::1' : undefined,
    startedAt,
    health: 'none',
    exitCode: replica.ending?.exitCode,
    outOfMemory: replica.ending?.outOfMemory,
    // Nothing but a signal of somebody freezes what serves.
    endedByHand: frozen ? 'yes' : replica.ending?.endedByHand,
  };
}
