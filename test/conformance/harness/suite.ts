import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TlsMaterial } from '../../../src/model/certificates.ts';
import { until } from '../../support/until.ts';
import { scenarios, tables } from '../risks.ts';
import type { Case } from './case.ts';
import { type RunningEdge, startEdge } from './edge.ts';
import { judge } from './judge.ts';
import { ANSWER_MS, Neighbour } from './lane.ts';
import { observe } from './observe.ts';
import { Origin } from './origin.ts';
import { openSockets } from './remains.ts';

/** Longest a test may take, ms: several waits for an answer that does not come. */
const TEST_MS = 120_000;

/** The tests of one risk: its table, row by row, and its scenarios. Nothing may be left open behind them. */
export function conformance(risk: string): void {
  const rows = tables[risk] ?? [];
  const plays = scenarios[risk] ?? [];
  describe(risk, () => {
    const before = openSockets();
    // Hooks run last to first: this one behind what the table takes down.
    afterAll(() => until('no socket is left', () => openSockets() <= before, ANSWER_MS, 5));
    if (rows.length > 0) describeTable(rows);
    for (const { name, run } of plays) it(name, run, TEST_MS);
  });
}

/** All rows of the tables again, sent by clients that come through TLS. */
export function conformanceOverTls(tls: TlsMaterial): void {
  const before = openSockets();
  afterAll(() => until('no socket is left', () => openSockets() <= before, ANSWER_MS, 5));
  describe.each(Object.entries(tables))('%s over TLS', (_risk, rows) => describeTable(rows, tls));
}

/** What is longer comes through TLS in pieces. (RFC 8446 §5.1) */
const TLS_RECORD_BYTES = 16 * 1024;

/** @param tls what the listener shows; clients come through TLS then */
function describeTable(rows: readonly Case[], tls?: TlsMaterial): void {
  const isTls = tls !== undefined;
  let origin: Origin;
  let edge: RunningEdge;
  let neighbour: Neighbour;

  beforeAll(async () => {
    origin = await Origin.open();
    edge = await startEdge({ origins: [origin.port], ...(isTls && { tls }) });
    neighbour = new Neighbour(edge.port, isTls);
  });

  for (const row of rows) {
    it(
      row.name,
      async () => {
        const lane = { port: edge.port, origin, tls: isTls };
        const seen = await observe(lane, neighbour, row, { cuts: [], answerMs: ANSWER_MS, clean: true });
        const pieces = isTls && (row.send?.length ?? 0) > TLS_RECORD_BYTES;
        expect(judge(row, seen, { ours: true, pieces })).toEqual([]);
      },
      TEST_MS,
    );
  }

  afterAll(async () => {
    neighbour.close();
    await until('no client connection is left', async () => (await edge.connections()) === 0, ANSWER_MS, 5);
    await edge.close();
    await until('no connection to the origin is left', () => origin.connections === 0, ANSWER_MS, 5);
    await origin.close();
    expect(edge.timers()).toBe(0);
  });
}
