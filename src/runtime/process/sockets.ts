import type { Listener } from '../../model/runtime.ts';
import type { HostPort } from '../../model/settings.ts';
import { type ProcessStat, processStat } from '../../util/kernel-files.ts';
import { processes, socketsAt, socketsOf } from '../listening-sockets.ts';

/**
 * Who listens at a loopback address: a process of a replica (of the session that its first one leads, or begun by one of
 * them), or somebody else. Undefined where the system does not tell, or we may not look.
 */
export function listenerAt(leader: number, address: HostPort): Listener | undefined {
  const sockets = socketsAt(address);
  if (sockets === undefined) return undefined;
  if (sockets.length === 0) return { by: 'nobody' };
  // Mostly it is the first process: to look at that one alone takes no look at all there are.
  const own = socketsOf(leader);
  if (sockets.every(({ inode }) => own?.has(inode))) return { by: 'replica' };
  const family = familyOf(leader);
  const held = family.map(socketsOf);
  const missing = sockets.filter(({ inode }) => !held.some((each) => each?.has(inode)));
  if (missing.length === 0) return { by: 'replica' };
  const pid = processes().find((other) => missing.some(({ inode }) => socketsOf(other)?.has(inode)));
  if (pid !== undefined) {
    // It may have been begun a moment ago.
    return familyOf(leader).includes(pid) ? { by: 'replica' } : { by: 'stranger', pid };
  }
  // Of another user, while we see all that is the replica's; or else it may be what we do not see of it.
  const isForeign = missing.some(({ uid }) => uid !== process.geteuid?.());
  return isForeign && !held.includes(undefined) ? { by: 'stranger', pid: undefined } : undefined;
}

/** The processes of the session that one leads, and those that they began. */
function familyOf(leader: number): number[] {
  const all = new Map<number, ProcessStat>();
  for (const pid of processes()) {
    const stat = processStat(pid);
    if (stat !== undefined) all.set(pid, stat);
  }
  const isOfFamily = (pid: number): boolean => {
    // They are read one after the other: where a number is given out again meanwhile, parents may lead in a circle.
    for (
      let stat = all.get(pid), left = all.size;
      stat !== undefined && left > 0;
      stat = all.get(stat.parent), left--
    ) {
      if (stat.session === leader) return true;
    }
    return false;
  };
  return [...all.keys()].filter(isOfFamily);
}
