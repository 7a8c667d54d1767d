import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { HostMemory } from '../model/host-memory.ts';
import { readKernelFile } from './kernel-files.ts';

/** Where the kernel tells of it. */
interface Places {
  proc: string;
  cgroup: string;
}

const PLACES: Places = { proc: '/proc', cgroup: '/sys/fs/cgroup' };

/** Control groups within each other that are looked at: nobody nests more of them. */
const DEEPEST = 32;

/**
 * What the machine has of memory.
 * @param isBounded whether the control group of this process bounds what is counted, as it does processes that this one
 *   starts, and not containers that an engine does
 */
export function readHostMemory(isBounded: boolean, places: Places = PLACES): HostMemory {
  const text = readKernelFile(join(places.proc, 'meminfo')) ?? '';
  const read = (name: string): number | undefined => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };
  const host = { totalBytes: read('MemTotal') ?? totalmem(), availableBytes: read('MemAvailable') };
  if (!isBounded) return host;
  return groupsOf(places).reduce((least, { limit, used }) => {
    if (limit >= host.totalBytes) return least;
    // One that is larger may have less left: others are in it, too.
    const left = Math.max(0, limit - used);
    const totalBytes = Math.min(limit, least.totalBytes);
    return { totalBytes, availableBytes: Math.min(left, least.availableBytes ?? left) };
  }, host);
}

/** What bounds this process, from its own control group up: version 2 (memory.max), else 1 (cgroups(7)). */
function groupsOf({ proc, cgroup }: Places): { limit: number; used: number }[] {
  const lines = (readKernelFile(join(proc, 'self/cgroup')) ?? '').split('\n').map((line) => line.split(':'));
  const first = lines.find(([, controllers]) => controllers?.split(',').includes('memory'));
  const [root, path, names] =
    first === undefined
      ? [cgroup, lines.find(([id]) => id === '0')?.[2], VERSION_2]
      : [join(cgroup, 'memory'), first[2], VERSION_1];
  const groups = [];
  for (let at = path ?? '/', depth = 0; depth < DEEPEST; depth++) {
    const folder = join(root, at);
    const limit = Number(readKernelFile(join(folder, names.limit))?.trim());
    const used = Number(readKernelFile(join(folder, names.used))?.trim());
    // `max` is no number: no limit.
    if (limit > 0 && used >= 0) groups.push({ limit, used: used - cacheOf(join(folder, 'memory.stat'), names.cache) });
    if (at === '/') break;
    at = join(at, '..');
  }
  return groups;
}

const VERSION_2 = { limit: 'memory.max', used: 'memory.current', cache: 'inactive_file' };
const VERSION_1 = {
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  cache: 'total_inactive_file',
};

/** Of what a group uses, files that could be read again, bytes. */
function cacheOf(path: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(readKernelFile(path) ?? '')?.[1] ?? 0);
}
