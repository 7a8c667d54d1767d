import { readFileSync } from 'node:fs';

/** A file in which the kernel tells something; undefined where it does not, as outside of Linux. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What the kernel tells of a process: proc(5), fields 3, 5 and 22 of stat. */
interface ProcessStat {
  /** Whether it has ended, and stays only for as long as nobody reaps it: it holds nothing. */
  isDead: boolean;
  /** Whether a signal has stopped it: it does nothing until another one has it go on. */
  isFrozen: boolean;
  /** Its process group. */
  group: number;
  /** When it was started, in clock ticks since the boot. */
  start: string;
}

/** Undefined where there is no such process, or the system has no /proc. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readKernelFile(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const [state, group, start] = [fields[0], fields[2], fields[19]];
  if (state === undefined || group === undefined || start === undefined) return undefined;
  return { isDead: state === 'Z' || state === 'X', isFrozen: state === 'T', group: Number(group), start };
}
