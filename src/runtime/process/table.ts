import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Whether this system tells when a process started: /proc on Linux, `ps` on macOS and the BSDs. */
export const processTableSupported = process.platform !== 'win32';

interface ProcStat {
  /** One letter; Z and X are dead. */
  state: string;
  group: number;
  /** Clock ticks from boot to start. */
  start: string;
}

/**
 * When the kernel started a process, as an opaque token: pid and token together name one process for good, while the
 * pid alone may belong to another one tomorrow. Undefined when no such process lives; a zombie does not.
 */
export function startTokenOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return startTokenFromPs(pid);
  const stat = procStat(pid);
  return stat === undefined || isDead(stat) ? undefined : stat.start;
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
    const stat = pid === undefined ? undefined : procStat(pid);
    return pid !== undefined && stat !== undefined && stat.group === group && !isDead(stat) ? [pid] : [];
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

function isDead({ state }: ProcStat): boolean {
  return state === 'Z' || state === 'X';
}

function procStat(pid: number): ProcStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, group, start] = [fields[0], fields[2], fields[19]];
  if (state === undefined || group === undefined || start === undefined) return undefined;
  return { state, group: Number(group), start };
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
