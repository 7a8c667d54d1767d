import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Tool } from './tools.ts';

/** What the processor counts, of a proxy's processes and in the kernel on their behalf. */
export interface Counts {
  instructions: number;
  cacheMisses: number;
}

const EVENTS = ['instructions', 'cache-misses'];

/** Why nothing can be counted here; undefined: it can. Virtual machines mostly have no counters. */
export function whyUncounted(tools: ReadonlySet<Tool>): string | undefined {
  if (!tools.has('perf')) return 'perf is missing';
  const { stderr, status } = spawnSync('perf', argsFor(['--', 'true']), { encoding: 'utf8' });
  const line = stderr.split('\n').find((each) => each.startsWith('<not')) ?? '';
  if (line !== '') return `perf says ${line.slice(0, line.indexOf('>') + 1)} of ${line.split(',')[2]}`;
  return status === 0 ? undefined : `perf says ${stderr.trim().split('\n')[0]}`;
}

/** Begins to count what processes do, all their threads included; the answer ends it. */
export async function beginCounting(pids: readonly number[]): Promise<() => Promise<Counts>> {
  const perf = spawn('perf', argsFor(['-p', pids.join(',')]), { stdio: ['ignore', 'ignore', 'pipe'] });
  await once(perf, 'spawn');
  return () => endCounting(perf);
}

async function endCounting(perf: ChildProcess): Promise<Counts> {
  let text = '';
  perf.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const closed = once(perf, 'close');
  perf.kill('SIGINT');
  await closed;
  return countsIn(text);
}

/** What `perf stat -x,` printed; NaN for what it could not count. */
export function countsIn(text: string): Counts {
  const of = (event: string): number => {
    const fields = text
      .split('\n')
      .map((line) => line.split(','))
      .find(([, , name = '']) => name.split(':')[0] === event);
    return Number.parseInt(fields?.[0] ?? '', 10);
  };
  return { instructions: of('instructions'), cacheMisses: of('cache-misses') };
}

function argsFor(rest: readonly string[]): string[] {
  return ['stat', '-x', ',', '-e', EVENTS.join(','), ...rest];
}
