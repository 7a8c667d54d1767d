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

/** What the kernel tells of a process: proc(5), fields 3 to 6, 9 and 22 of stat. */
export interface ProcessStat {
  /** Whether it is about to end, or has: it runs nothing of its program any more, and may have closed what it had open. */
  isEnding: boolean;
  /** Whether it has ended, and stays only for as long as nobody reaps it: it holds nothing. */
  isDead: boolean;
  /** Whether a signal has stopped it: it does nothing until another one has it go on. */
  isFrozen: boolean;
  parent: number;
  /** Its process group. */
  group: number;
  /** Its session: the process that began it, which may have ended. */
  session: number;
  /** When it was started, in clock ticks since the boot. */
  start: string;
}

/** Undefined where there is no such process, or the system has no /proc. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readKernelFile(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const [state, , , , , , flags] = fields;
  const [parent, group, session] = fields.slice(1, 4).map(Number);
  const start = fields[19];
  if (state === undefined || parent === undefined || group === undefined) return undefined;
  if (session === undefined || start === undefined) return undefined;
  const isDead = state === 'Z' || state === 'X';
  const isEnding = isDead || (Number(flags) & EXITING) !== 0;
  return { isDead, isEnding, isFrozen: state === 'T', parent, group, session, start };
}
