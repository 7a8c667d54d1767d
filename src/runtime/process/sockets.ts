import { readdirSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import type { HostPort } from '../../model/settings.ts';
import { readKernelFile } from '../../util/kernel-files.ts';
import { groupMembers } from './table.ts';

/** `::1` and all addresses, as the kernel writes them: four words of 32 bits, each in the order of the machine. */
const LOCAL = [endianness() === 'LE' ? `${'0'.repeat(24)}01000000` : `${'0'.repeat(31)}1`, '0'.repeat(32)];
const LISTENING = '0A';

/** Whether a process of the group listens on `::1` at the port; undefined where the system does not tell. */
export function groupListens(group: number, { host, port }: HostPort): boolean | undefined {
  if (process.platform !== 'linux' || host !== '::1') return undefined;
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const wanted = LOCAL.map((address) => address + suffix);
  const inodes = new Set<string>();
  for (const line of (readKernelFile('/proc/net/tcp6') ?? '').split('\n')) {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    if (wanted.includes(local) && state === LISTENING) inodes.add(`socket:[${inode}]`);
  }
  return inodes.size > 0 && groupMembers(group).some((pid) => descriptorsOf(pid).some((name) => inodes.has(name)));
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`);
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
