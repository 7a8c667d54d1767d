import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { processStat } from '../../util/kernel-files.ts';

/** Whether this system tells when a process started: /proc on Linux, `ps` on macOS and the BSDs. */
export const processTableSupported = process.platform !== 'win32';

/**
 * When the kernel started a process, as an opaque token: pid and token together name one process for good, while the
 * pid alone may belong to another one tomorrow. Undefined when no such process lives; a zombie does not.
 */
export function startTokenOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return startTokenFromPs(pid);
  const stat = processStat(pid);
  return stat?.isDead ? undefined : stat?.start;
}

/** Whether any process of a group lives. Zombies do not count: where nobody reaps orphans, they stay for ever. */
export function groupLives(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  if (process.platform !== 'linux') return true;
  return groupMembers(group).length > 0;
}

/** The processes of a group that live; on Linux only. */
export function groupMembers(group: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = /^\d+$/.test(name) ? Number(name) : undefined;
    const stat = pid === undefined ? undefined : processStat(pid);
    return pid !== undefined && stat?.group === group && !stat.isDead ? [pid] : [];
  });
}

/** Sends a signal to every process of a group; false when there is none. 0 sends nothing and only looks. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

function startTokenFromPs(pid: number): string | undefined {
  try {
    const options = { encoding: 'utf8', env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' }, timeout: 5_000 } as const;
    const [state = 'Z', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options)
      .trim()
      .split(/\s+/);
    return state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
