import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { tables } from '../risks.ts';
import { runInPieces } from './in-pieces.ts';
import { ANSWER_MS } from './lane.ts';
import { openSockets } from './remains.ts';

/** Runs some of the tables in pieces; several files share them, so that they run side by side. */
export function inPieces(risks: readonly string[]): void {
  describe('cut at every byte, and byte by byte', () => {
    const before = openSockets();
    afterAll(() => until('no socket is left', () => openSockets() <= before, ANSWER_MS, 5));
    for (const risk of risks) {
      it(risk, async () => {
        const rows = tables[risk] ?? [];
        const { runs, complaints } = await runInPieces(rows);
        expect(complaints).toEqual([]);
        expect(runs).toBeGreaterThan(rows.length * 20);
      }, 400_000);
    }
  });
}

/** Every other of the tables, from the first or the second on. */
export function half(which: 0 | 1): string[] {
  return Object.keys(tables).filter((_, index) => index % 2 === which);
}
