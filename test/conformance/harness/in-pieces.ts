import type { Case } from './case.ts';
import { type RunningEdge, startEdge } from './edge.ts';
import { judge } from './judge.ts';
import { Neighbour } from './lane.ts';
import { observe } from './observe.ts';
import { Origin } from './origin.ts';
import { type Cuts, everyByte, everyBytes, offsets } from './pacing.ts';

/** Lanes that run at once: enough that one works while others wait for their pieces to be read. */
const LANES = 16;
/** Messages up to this length are cut at every offset, longer ones at as many. */
const ALL_OFFSETS = 400;
/** The clean requests are sent behind each n-th run only: they cost more than the run. */
const CLEAN_EVERY = 16;

/** Messages up to this length are sent byte by byte, longer ones in pieces of so many bytes. */
const SINGLE_BYTES = 2000;
const STEP = 97;

/**
 * A message that comes byte by byte, on a lane among others, takes its time: on a machine with ten times as much to do,
 * 21 s were seen. Only what goes wrong takes this long.
 */
const PATIENCE_MS = 120_000;

interface Run {
  row: Case;
  cuts: Cuts;
  clean: boolean;
}

/**
 * Runs every row with its message cut in two at every offset, and once byte by byte.
 * @returns how often it ran, and what went wrong
 */
export async function runInPieces(rows: readonly Case[]): Promise<{ runs: number; complaints: string[] }> {
  const runs = runsOf(rows);
  const count = runs.length;
  const complaints: string[] = [];
  await Promise.all(Array.from({ length: LANES }, () => runLane(runs, complaints)));
  return { runs: count, complaints };
}

function runsOf(rows: readonly Case[]): Run[] {
  const runs: Run[] = [];
  for (const row of rows) {
    const text = row.kind === 'request' ? row.send : row.respond;
    for (const [index, at] of offsets(text, ALL_OFFSETS).entries()) {
      runs.push({ row, cuts: [at], clean: (index + row.name.length) % CLEAN_EVERY === 0 });
    }
    runs.push({ row, cuts: text.length <= SINGLE_BYTES ? everyByte(text) : everyBytes(text, STEP), clean: true });
  }
  return runs;
}

async function runLane(runs: Run[], complaints: string[]): Promise<void> {
  const origin = await Origin.open();
  const edge: RunningEdge = await startEdge({ origins: [origin.port], timeouts: { headMs: PATIENCE_MS } });
  const neighbour = new Neighbour(edge.port);
  for (let run = runs.pop(); run !== undefined; run = runs.pop()) {
    const { row, cuts, clean } = run;
    const where = cuts.length === 1 ? `cut at ${cuts[0]}` : 'in small pieces';
    try {
      const seen = await observe({ port: edge.port, origin }, neighbour, row, { cuts, answerMs: PATIENCE_MS, clean });
      const found = judge(row, seen, { ours: true, pieces: true });
      if (found.length > 0) complaints.push(`${row.name}, ${where}: ${found.join('; ')}`);
    } catch (error) {
      complaints.push(`${row.name}, ${where}: ${String(error)}`);
    }
  }
  neighbour.close();
  await edge.close();
  await origin.close();
}
