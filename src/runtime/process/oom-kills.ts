import { readFileSync } from 'node:fs';

/**
 * How many processes beside us (of our control group, in which children stay) the kernel has ended for want of memory so
 * far; undefined where it does not say, as outside of Linux.
 */
export function oomKills(): number | undefined {
  const counter = places()
    .map(read)
    .find((text) => text !== undefined);
  const count = /^oom_kill (\d+)$/m.exec(counter ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The counter of our group: by its path, or at the top where a container shows only its own group. */
function places(): string[] {
  const groups = read('/proc/self/cgroup') ?? '';
  const unified = /^0::(.*)$/m.exec(groups)?.[1] ?? '/';
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  const [root, file] =
    memory === undefined ? ['/sys/fs/cgroup', 'memory.events'] : ['/sys/fs/cgroup/memory', 'memory.oom_control'];
  return [`${root}${memory ?? unified}/${file}`, `${root}/${file}`];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
