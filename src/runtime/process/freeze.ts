import { type Clock, sleep } from '../../util/clock.ts';
import { isFrozen, isGroupFrozen, signalGroup } from './table.ts';

/** How often it is looked at whether a group has come to a stop, or goes on, ms. */
const LOOK_MS = 2;

/**
 * Stops a process group where it is, and resolves when no process of it runs: one that the kernel is busy for comes to
 * a stop when that is over.
 */
export async function freezeGroup(group: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signalGroup(group, 'SIGSTOP');
  while (!isGroupFrozen(group)) await sleep(clock, LOOK_MS, signal);
}

/** Has a stopped process group go on, and resolves when it does. */
export async function thawGroup(group: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signalGroup(group, 'SIGCONT');
  while (isFrozen(group)) await sleep(clock, LOOK_MS, signal);
}
