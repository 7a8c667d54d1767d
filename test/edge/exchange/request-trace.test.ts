import { expect, test } from 'vitest';
import type { TableChange } from '../edge-harness.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, deadPort, Origin, ok, type Seen, until } from '../wire.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SAMPLED = `traceparent: 00-${TRACE}-${CALLER}-01\r\n`;
const NOT_SAMPLED = `traceparent: 00-${TRACE}-${CALLER}-00\r\n`;
const TRUSTED: TableChange = { trustedProxies: ['127.0.0.1'] };
const PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/;

/** An origin that answers, and what it was asked. */
async function listening() {
  const seen: Seen[] = [];
  const script = answering((request) => {
    seen.push(request);
    return ok();
  });
  return { origin: await Origin.listen(script), seen };
}

/** An edge in front of one service. @param sample undefined: nothing is traced */
async function world(sample: number | undefined, table: TableChange = {}) {
  const { origin, seen } = await listening();
  const harness = await EdgeHarness.start(policy(), table, {}, {}, sample);
  harness.state({ endpoints: [at(origin)] });
  const ask = async (fields = '') => {
    const client = await harness.connect();
    client.get('/a?secret=1', fields);
    expect((await client.answer()).status).toBe(200);
    const fieldsSeen = seen.at(-1)?.fields;
    const [, traceId, spanId, flags] = PARENT.exec(fieldsSeen?.['traceparent']?.[0] ?? '') ?? [];
    return { seen: fieldsSeen, traceId, spanId, flags };
  };
  return { harness, ask };
}

test('where nothing is traced, the context of a trace passes as it is, whoever sends it', async () => {
  const { ask } = await world(undefined);
  const { seen } = await ask(`${SAMPLED}tracestate: a=1\r\n`);
  expect(seen).toMatchObject({ traceparent: [`00-${TRACE}-${CALLER}-01`], tracestate: ['a=1'] });
});

test('a sampled trace of a trusted peer goes on, with the span of the attempt as the parent of the service', async () => {
  const { harness, ask } = await world(0, TRUSTED);
  const { seen, traceId, spanId, flags } = await ask(`${SAMPLED}tracestate: a=1\r\ntracestate: b=2\r\n`);
  expect([traceId, flags, seen?.['tracestate']]).toEqual([TRACE, '01', ['a=1,b=2']]);
  const [traced] = harness.traced;
  expect(traced).toMatchObject({ span: { traceId: TRACE }, parentId: CALLER, state: 'a=1,b=2', route: '/' });
  expect(traced?.attempts.map((attempt) => attempt.spanId)).toEqual([spanId]);
  expect(new Set([spanId, traced?.span.spanId, CALLER]).size).toBe(3);
});

test('one that it does not sample is not sampled here either, and the service hears so', async () => {
  const { harness, ask } = await world(1, TRUSTED);
  expect(await ask(NOT_SAMPLED)).toMatchObject({ traceId: TRACE, flags: '00' });
  expect(harness.traced).toEqual([]);
});

test.each([
  ['of anybody else', {}, SAMPLED],
  ['of two fields', TRUSTED, SAMPLED + NOT_SAMPLED],
  ['that cannot be read', TRUSTED, 'traceparent: 00-0-0-01\r\n'],
])('a context %s is not believed: a trace begins here', async (_, table, fields) => {
  const { harness, ask } = await world(1, table);
  const { seen, traceId, flags } = await ask(`${fields}tracestate: a=1\r\n`);
  expect(seen?.['traceparent']).toHaveLength(1);
  expect([seen?.['tracestate'], flags]).toEqual([undefined, '01']);
  expect(traceId).not.toBe(TRACE);
  expect(harness.traced).toMatchObject([{ span: { traceId }, parentId: undefined, state: undefined }]);
});

test('of the traces that begin here the share is sampled, and none at 0', async () => {
  const { harness, ask } = await world(0);
  expect((await ask()).flags).toBe('00');
  expect(harness.traced).toEqual([]);
  const half = await world(0.5);
  const flags: (string | undefined)[] = [];
  for (let count = 0; count < 40; count++) flags.push((await half.ask()).flags);
  const sampled = flags.filter((flag) => flag === '01').length;
  expect(sampled).toBe(half.harness.traced.length);
  // Outside of this once in a million times.
  expect(sampled).toBeGreaterThan(4);
  expect(sampled).toBeLessThan(36);
});

test('every attempt has a span of its own, and the one that failed says why', async () => {
  const { origin, seen } = await listening();
  const harness = await EdgeHarness.start(
    policy({ wakeable: false, balance: 'round-robin', retries: { budget: 1 } }),
    {},
    {},
    {},
    1,
  );
  harness.state({ endpoints: [at(origin), at({ port: await deadPort() })] });
  const client = await harness.connect();
  client.get();
  expect((await client.answer()).status).toBe(200);
  const [first, second] = harness.traced[0]?.attempts ?? [];
  expect(first).toMatchObject({ status: 0, failure: 'refused', connectedMs: -1 });
  expect(second).toMatchObject({ status: 200, failure: undefined });
  expect(seen[0]?.fields['traceparent']?.[0]).toContain(second?.spanId);
});

test('a wait names the start that ended it, and a kept connection is not connected anew', async () => {
  const origin = await Origin.listen();
  const harness = await EdgeHarness.start(policy(), {}, {}, {}, 1);
  const client = await harness.connect();
  client.get();
  await until(() => harness.messages.some(({ type }) => type === 'demand'), 'the demand');
  harness.clock.advance(250);
  const span = { traceId: TRACE, spanId: CALLER };
  const start = { askedAgo: 240, permitAgo: 230, startedAgo: 100, readyAgo: 1, span };
  harness.state({ endpoints: [at(origin, { start })] });
  expect((await client.answer()).status).toBe(200);
  client.get();
  expect((await client.answer()).status).toBe(200);
  const [cold, warm] = harness.traced;
  expect(cold?.holds).toEqual([{ beganMs: 0, endedMs: 250, start: span }]);
  expect(cold?.attempts).toMatchObject([{ beganMs: 250, connectingMs: 250, connectedMs: 250 }]);
  expect(warm).toMatchObject({ holds: [], attempts: [{ connectingMs: -1, connectedMs: 0 }] });
});

test('a wait that ends with a failed start names that one', async () => {
  const harness = await EdgeHarness.start(policy(), {}, {}, {}, 1);
  const client = await harness.connect();
  client.get();
  await until(() => harness.messages.some(({ type }) => type === 'demand'), 'the demand');
  const startSpan = { traceId: TRACE, spanId: CALLER };
  harness.state({ failures: 1, startSpan });
  expect((await client.answer()).status).toBe(503);
  expect(harness.traced).toMatchObject([
    { holds: [{ start: startSpan }], attempts: [], record: { refusal: 'START_FAILED' } },
  ]);
});
