import type { ReplicaUsage } from '../../model/runtime.ts';
import { readKernelFile } from '../../util/kernel-files.ts';
import { groupMembers } from './table.ts';

/** Clock ticks of the kernel in a second, as programs see them: the same on every Linux. */
const TICKS = 100;
const KIB_PER_MIB = 1024;

/**
 * What the processes of a group take: memory that is theirs alone, with their part of what they share (Pss), else all that
 * is resident; CPU of those that live, and of those they have waited for. Undefined where the system does not tell.
 */
export function groupUsage(group: number): ReplicaUsage | undefined {
  if (process.platform !== 'linux') return undefined;
  let memoryKiB = 0;
  let ticks = 0;
  for (const pid of groupMembers(group)) {
    const memory = readKernelFile(`/proc/${pid}/smaps_rollup`) ?? readKernelFile(`/proc/${pid}/status`) ?? '';
    memoryKiB += Number(/^(?:Pss|VmRSS):\s+(\d+) kB/m.exec(memory)?.[1] ?? 0);
    const stat = readKernelFile(`/proc/${pid}/stat`) ?? '';
    // proc(5): utime, stime, cutime and cstime are fields 14 to 17; the second may contain spaces.
    const times = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15);
    ticks += times.reduce((sum, time) => sum + Number(time), 0);
  }
  return { memoryMiB: memoryKiB / KIB_PER_MIB, cpuSeconds: ticks / TICKS };
}
