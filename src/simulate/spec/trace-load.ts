import { counted } from '../../util/format.ts';
import { givenArrivals, type OpenLoad } from '../load.ts';
import { measured, type ServiceTime } from '../service-time.ts';
import { readTrace } from '../trace.ts';

/** What a trace says of clients and app. */
export interface TraceLoad {
  load: OpenLoad;
  patienceMs: undefined;
  /** From the first arrival to the last, ms. */
  lengthMs: number;
  /** How long its calls took, and where that is from. */
  time: { serviceTime: ServiceTime; why: string };
}

/**
 * The load of a trace, or what is wrong with it.
 * @param func only functions whose names begin so; undefined: all
 * @param speed how many times as fast its calls come; what they take is left as it is
 */
export function readTraceLoad(
  text: string,
  { file, speed, func }: { file: string; speed: number; func: string | undefined },
): TraceLoad | { wrong: string } {
  const read = readTrace(text);
  if ('wrong' in read) return { wrong: `${file}:${read.line}: ${read.wrong}` };
  const calls = read.calls.filter((call) => func === undefined || call.func.startsWith(func));
  if (calls.length === 0) {
    return { wrong: func === undefined ? `${file} has no calls` : `${file} has no function ${func}…` };
  }
  const times = calls.map(({ atMs }) => atMs / speed);
  const why = `requests take as long as those of the trace, in any order (${counted(calls.length, 'call')})`;
  return {
    load: givenArrivals(times),
    patienceMs: undefined,
    lengthMs: times.at(-1) as number,
    time: { serviceTime: measured(calls.map(({ durationMs }) => durationMs)), why },
  };
}
