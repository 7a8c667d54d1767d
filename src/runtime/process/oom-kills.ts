import { readKernelFile } from '../../util/kernel-files.ts';

/**
 * How many processes beside us (of our control group, in which children stay) the kernel has ended for want of memory so
 * far; undefined where it does not say, as outside of Linux.
 */
export function oomKills(): number | undefined {
  const counter = places()
    .map(readKernelFile)
    .find((text) => text !== undefined);
  const count = /^oom_kill (\d+)$/m.exec(counter ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The counter of our group: by its path, or at the top where a container shows only its own group. */
function places(): string[] {
  const groups = readKernelFile('/proc/self/cgroup') ?? '';
  const unified = /^0::(.*)$/m.exec(groups)?.[1] ?? '/';
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  const [root, file] =
    memory === undefined ? ['/sys/fs/cgroup', 'memory.events'] : ['/sys/fs/cgroup/memory', 'memory.oom_control'];
  return [`${root}${memory ?? unified}/${file}`, `${root}/${file}`];
}
