import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Sample } from './sample.ts';

/** More than any round takes, ms: a proxy that hangs must not hang the bench. */
const TIMEOUT_MS = 120_000;

interface Http2Load {
  connections: number;
  /** Requests under way at once on each connection. */
  streams: number;
  requests: number;
  /** File that it may write a line per request into. */
  log: string;
}

/**
 * Runs h2load with one thread for so many requests: told how long to run, it may never end. It tells no percentiles, so
 * they are taken from its log, of the answers with status 200.
 */
export async function runH2load(url: string, { connections, streams, requests, log }: Http2Load): Promise<Sample> {
  // It writes behind what is there.
  await rm(log, { force: true });
  const args = ['-t1', `-c${connections}`, `-m${streams}`, `-n${requests}`, `--log-file=${log}`, url];
  const { stdout } = await promisify(execFile)('h2load', args, { timeout: TIMEOUT_MS });
  const seconds = secondsIn(stdout);
  if (seconds === undefined || !stdout.includes('protocol: h2')) throw new Error(`h2load spoke no HTTP/2:\n${stdout}`);
  const times = timesIn(await readFile(log, 'latin1'));
  const at = (share: number): number => (times[Math.floor(times.length * share)] ?? Number.NaN) / 1000;
  return { requests: times.length, seconds, p50: at(0.5), p99: at(0.99), failed: requests - times.length };
}

/** How long it says that it took; undefined: it does not say. */
function secondsIn(text: string): number | undefined {
  const [, took, unit = 's'] = /^finished in ([\d.]+)(us|ms|s)?,/m.exec(text) ?? [];
  return took === undefined ? undefined : Number(took) * ({ us: 1e-6, ms: 1e-3 }[unit] ?? 1);
}

/** Times of the answers with status 200, µs, the shortest first. A line is: when it began, status, time. */
function timesIn(log: string): Float64Array {
  const times: number[] = [];
  for (const line of log.split('\n')) {
    const [, status, micros] = line.split('\t');
    if (status === '200') times.push(Number(micros));
  }
  return Float64Array.from(times).sort();
}
