import { readFileSync } from 'node:fs';

/** A file in which the kernel tells something; undefined where it does not, as outside of Linux. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Flag of a process that is about to end (PF_EXITING): it is set before anything that it has open is closed. */
const EXITING = 4;

/** What the kernel tells of a process: proc(5), fields 3, 5, 9 and 22 of stat. */
interface ProcessStat {
  /** Whether it is about to end, or has: it runs nothing of its program any more, and may have closed what it had open. */
  isEnding: boolean;
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
  const [state, group, flags, start] = [fields[0], fields[2], fields[6], fields[19]];
  if (state === undefined || group === undefined || start === undefined) return undefined;
  const isDead = state === 'Z' || state === 'X';
  const isEnding = isDead || (Number(flags) & EXITING) !== 0;
  return { isDead, isEnding, isFrozen: state === 'T', group: Number(group), start };
}
