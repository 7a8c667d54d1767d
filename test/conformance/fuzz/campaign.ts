import * as fc from 'fast-check';
import { ANSWER_MS, Neighbour } from '../harness/lane.ts';
import { Stage } from '../harness/stage.ts';
import type { Fuzz } from './fuzz.ts';
import { type Outcome, outcomes } from './verdict.ts';

export interface Campaign {
  cases: number;
  /** Of the first batch; the next one has the next seed. */
  seed: number;
  /** Called behind each batch. */
  onProgress?: (tally: Tally) => void;
}

export type Tally = Record<'cases' | Outcome, number>;

/** Cases that have one seed: each batch can be run again by itself. */
export const BATCH = 500;
/** Proxies at work at the same time: while one waits for the network, others think. */
const LANES = 6;
/** Another client asks something between so many cases. */
const NEIGHBOUR_EVERY = 10;
/** Longest search for the smallest failing case, ms. */
const SHRINK_MS = 60_000;

/**
 * Tries that many cases, on several proxies side by side. Nothing may be left of a proxy behind its last case.
 * @throws what fast-check says of the smallest case that fails: its seed, values, bytes, and what is wrong
 */
export async function hunt<T>(fuzz: Fuzz<T>, { cases, seed, onProgress }: Campaign): Promise<Tally> {
  const tally: Tally = { cases: 0, 'passed on': 0, refused: 0, 'broken off': 0 };
  const batches = Array.from({ length: Math.ceil(cases / BATCH) }, (_, index) => ({
    seed: seed + index,
    size: Math.min(BATCH, cases - index * BATCH),
  })).values();
  let failed = false;
  const lane = async () => {
    const stage = await Stage.set(fuzz.settings);
    const neighbour = new Neighbour(stage.edge.port);
    try {
      for (const { seed: from, size } of batches) {
        const settings = { seed: from, numRuns: size, includeErrorInReport: true };
        await fc.assert(property(fuzz, stage, neighbour, tally), settings);
        if (failed) break;
        onProgress?.(tally);
      }
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      neighbour.close();
      await stage.strike();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return tally;
}

function property<T>(fuzz: Fuzz<T>, stage: Stage, neighbour: Neighbour, tally: Tally): fc.IAsyncProperty<[T]> {
  let failedAt: number | undefined;
  return fc.asyncProperty(fuzz.cases, async (one) => {
    // A search that takes too long ends with the smallest case so far.
    if (failedAt !== undefined && performance.now() - failedAt > SHRINK_MS) return;
    const { complaints, outcome } = await fuzz.try(one, stage, neighbour);
    tally.cases++;
    tally[outcome]++;
    if (tally.cases % NEIGHBOUR_EVERY === 0) {
      const echo = await neighbour.ask(ANSWER_MS);
      if (echo !== 'own') complaints.push(`another client got a ${echo} answer`);
      stage.origin.take();
    }
    if (complaints.length === 0) return;
    failedAt ??= performance.now();
    throw new Error(`${complaints.join('\n')}\nbytes: ${JSON.stringify(fuzz.bytes(one))}`);
  });
}

export function describeTally(tally: Tally): string {
  return [`${tally.cases} cases`, ...outcomes.map((outcome) => `${tally[outcome]} ${outcome}`)].join(', ');
}
