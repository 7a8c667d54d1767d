import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import type { Case } from './harness/case.ts';
import { type RunningEdge, startEdge } from './harness/edge.ts';
import { Http2Client } from './harness/http2-client.ts';
import { type Http2Request, http2Rows, inHttp2 } from './harness/http2-row.ts';
import { judge } from './harness/judge.ts';
import { ANSWER_MS, Neighbour } from './harness/lane.ts';
import { valuesOf } from './harness/message.ts';
import type { Observation } from './harness/observe.ts';
import { Origin } from './harness/origin.ts';
import { tables } from './risks.ts';

const TEST_MS = 120_000;

let origin: Origin;
let edge: RunningEdge;
let neighbour: Neighbour;

beforeAll(async () => {
  origin = await Origin.open();
  edge = await startEdge({ origins: [origin.port], http2: true });
  neighbour = new Neighbour(edge.port);
});

afterAll(async () => {
  neighbour.close();
  await until('no client connection is left', async () => (await edge.connections()) === 0, ANSWER_MS, 5);
  await edge.close();
  await until('no connection to the origin is left', () => origin.connections === 0, ANSWER_MS, 5);
  await origin.close();
  expect(edge.timers()).toBe(0);
});

/** Runs a row on a connection of its own, with a clean request behind it there, and one by a client of HTTP/1.1. */
async function observe(row: Case, request: Http2Request): Promise<Observation & { code: number }> {
  origin.take();
  const written = row.kind === 'response' ? script(row) : undefined;
  const client = await Http2Client.open(edge.port);
  try {
    const { answer, code } = await client.ask(request);
    if (answer !== undefined) await written;
    origin.answering = undefined;
    const follow = client.isOpen ? await client.askOwn('follow') : undefined;
    const near = await neighbour.ask(ANSWER_MS);
    const { received, unfinished, unreadable } = origin.take();
    const isClean = (each: (typeof received)[number]) => valuesOf(each.message.fields, 'host').includes('clean');
    const next = received.find(isClean);
    const own = received.filter((each) => !isClean(each));
    return {
      port: edge.port,
      scheme: 'http',
      answers: answer === undefined ? [] : [answer],
      rest: '',
      nonsense: undefined,
      state: client.isOpen ? 'open' : 'ended',
      follow,
      neighbour: near,
      received: own,
      unfinished,
      unreadable,
      upstreamKept: next === undefined || own.length === 0 ? undefined : own.at(-1)?.connection === next.connection,
      code,
    };
  } finally {
    origin.answering = undefined;
    client.close();
  }
}

/** Lets the origin answer with the row's bytes. Resolves when they are written. */
function script({ respond, after }: Extract<Case, { kind: 'response' }>): Promise<void> {
  return new Promise((resolve) => {
    origin.answering = async (_request, socket) => {
      origin.answering = undefined;
      await new Promise<void>((done) => socket.write(Buffer.from(respond, 'latin1'), () => done()));
      if (after === 'close') socket.end();
      if (after === 'reset') socket.resetAndDestroy();
      await new Promise((turned) => setImmediate(turned));
      await new Promise((turned) => setImmediate(turned));
      resolve();
    };
  });
}

const meant = Object.entries(tables).map(([risk, rows]) => ({ risk, rows: http2Rows(risk, rows) }));

it('most rows about answers, and those about requests that are no matter of bytes, have a meaning in HTTP/2', () => {
  const all = meant.flatMap(({ rows }) => rows);
  const count = (kind: Case['kind']) => all.filter(({ row }) => row.kind === kind).length;
  expect(count('response')).toBeGreaterThan(170);
  expect(count('request')).toBeGreaterThan(200);
});

describe.each(meant.filter(({ rows }) => rows.length > 0))('$risk over HTTP/2', ({ risk, rows }) => {
  // Trailers are a frame of their own, behind content that may be on its way already.
  const mayBegin = risk === 'trailers';
  it.each(rows)(
    '$name',
    async ({ row, request }) => {
      const seen = await observe(row, request);
      // What makes no request may also be reset by whoever reads the frames.
      if (row.kind === 'request' && row.refused !== undefined && seen.code !== 0) {
        expect([seen.received, mayBegin ? [] : seen.unfinished, seen.unreadable, seen.follow]).toEqual([
          [],
          [],
          [],
          'own',
        ]);
      } else {
        expect(judge(inHttp2(row), seen, { ours: true, pieces: mayBegin })).toEqual([]);
      }
    },
    TEST_MS,
  );
});
