import { counted } from '../../util/format.ts';
import { type Invocation, readTrace } from '../trace.ts';
import type { ServiceCalls } from './workload.ts';

/** What recorded calls do not tell is taken for this. */
const ASSUMED = { caller: 'recorded', startMs: 1000, stopMs: 200, memoryMiB: 170 } as const;
const COUNTED_MS = 500;
const MINUTE_MS = 60_000;

interface Recorded {
  services: ServiceCalls[];
  /** When the last call ends, ms. */
  endMs: number;
}

/**
 * Reads recorded calls, each function as a service: a trace (`app,func,end_timestamp,duration`, in seconds), or counts per
 * minute (`HashOwner,HashApp,HashFunction,Trigger,1,2,…`), whose calls are spread evenly over their minute.
 * @returns what is wrong, with its line, where it is neither
 */
export function readCalls(text: string): Recorded | { line: number; wrong: string } {
  if (/^HashOwner,/.test(text)) return readCounts(text);
  const trace = readTrace(text);
  if ('wrong' in trace) return trace;
  const byFunction = new Map<string, Invocation[]>();
  for (const call of trace.calls) {
    const key = `${call.app} ${call.func}`;
    byFunction.set(key, [...(byFunction.get(key) ?? []), call]);
  }
  const services = [...byFunction.values()].map(
    (calls): ServiceCalls => ({
      ...ASSUMED,
      at: Float64Array.from(calls, ({ atMs }) => atMs),
      durationMs: Float64Array.from(calls, ({ durationMs }) => durationMs),
    }),
  );
  return { services, endMs: trace.calls.reduce((end, { atMs, durationMs }) => Math.max(end, atMs + durationMs), 0) };
}

function readCounts(text: string): Recorded | { line: number; wrong: string } {
  const services: ServiceCalls[] = [];
  const lines = text.split(/\r?\n/);
  const minutes = (lines[0] as string).split(',').length - 4;
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '') continue;
    const counts = line.split(',').slice(4);
    if (counts.length !== minutes)
      return { line: index + 1, wrong: `${counted(counts.length, 'minute')} instead of ${minutes}` };
    const at: number[] = [];
    for (const [minute, count] of counts.entries()) {
      if (!/^\d{1,6}$/.test(count)) return { line: index + 1, wrong: `no count of calls: "${count}"` };
      for (let i = 0; i < Number(count); i++) at.push((minute + i / Number(count)) * MINUTE_MS);
    }
    services.push({ ...ASSUMED, at: Float64Array.from(at), durationMs: Float64Array.from(at, () => COUNTED_MS) });
  }
  return { services, endMs: minutes * MINUTE_MS };
}
