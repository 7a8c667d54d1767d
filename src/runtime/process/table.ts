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

/** Whether a process is about to end, or has and nobody reaped it; told on Linux only. */
export function isEnding(pid: number): boolean {
  return processStat(pid)?.isEnding === true;
}

/** Whether a signal has stopped a process, so that it does nothing. */
export function isFrozen(pid: number): boolean {
  return process.platform === 'linux'
    ? processStat(pid)?.isFrozen === true
    : (psOf(pid)?.state.startsWith('T') ?? false);
}

/** Whether a signal has stopped every process of a group; elsewhere than on Linux its leader is asked alone. */
export function isGroupFrozen(group: number): boolean {
  return process.platform === 'linux' ? groupMembers(group).every(isFrozen) : isFrozen(group);
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
  const found = psOf(pid);
  return found === undefined || found.state.startsWith('Z') ? undefined : found.start;
}

/** What `ps` tells of a process; undefined where there is none. */
function psOf(pid: number): { state: string; start: string } | undefined {
  try {
    const options = { encoding: 'utf8', env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' }, timeout: 5_000 } as const;
    const [state = 'Z', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options)
      .trim()
      .split(/\s+/);
    return { state, start: start.join(' ') };
  } catch {
    return undefined;
  }
}
