import { counted } from '../util/format.ts';
/** A call that was recorded. */
export interface Invocation {
  app: string;
  func: string;
  /** When it began, ms since the first one of the trace began. */
  atMs: number;
  durationMs: number;
}

const HEAD = 'app,func,end_timestamp,duration';

/**
 * Reads a trace of Azure's format: `app,func,end_timestamp,duration`, in seconds, a call a line.
 * @returns the calls in the order of their beginnings, or what is wrong, with its line
 */
export function readTrace(text: string): { calls: Invocation[] } | { line: number; wrong: string } {
  const lines = text.split(/\r?\n/);
  if (lines[0] !== HEAD) return { line: 1, wrong: `the first line is not "${HEAD}"` };
  const calls: Invocation[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '') continue;
    const cells = line.split(',');
    const [app = '', func = '', end = '', duration = ''] = cells;
    if (cells.length !== 4) return { line: index + 1, wrong: `${counted(cells.length, 'cell')} instead of 4` };
    if (!isSeconds(end)) return { line: index + 1, wrong: `the end is no number of seconds: "${end}"` };
    if (!isSeconds(duration)) return { line: index + 1, wrong: `the duration is no number of seconds: "${duration}"` };
    calls.push({ app, func, atMs: (Number(end) - Number(duration)) * 1000, durationMs: Number(duration) * 1000 });
  }
  calls.sort((one, other) => one.atMs - other.atMs);
  const first = calls[0]?.atMs ?? 0;
  return { calls: calls.map((call) => ({ ...call, atMs: call.atMs - first })) };
}

function isSeconds(text: string): boolean {
  return /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text);
}
