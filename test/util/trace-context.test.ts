import { expect, test } from 'vitest';
import { isSampledAt, newSpanId, newTraceId, readTraceParent, traceParent } from '../../src/util/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test('a traceparent reads as it was written', () => {
  for (const isSampled of [true, false]) {
    const parent = { traceId: TRACE, spanId: SPAN, isSampled };
    expect(readTraceParent(traceParent(parent))).toEqual(parent);
  }
});

test.each([
  ['other flags than the one that is known', `00-${TRACE}-${SPAN}-ff`, true],
  ['a later version', `01-${TRACE}-${SPAN}-01`, true],
  ['a later version with more', `cc-${TRACE}-${SPAN}-00-what-else`, false],
])('%s: what is known of it counts', (_, value, isSampled) => {
  expect(readTraceParent(value)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
});

test.each([
  ['nothing', ''],
  ['no flags', `00-${TRACE}-${SPAN}`],
  ['more than this version has', `00-${TRACE}-${SPAN}-01-x`],
  ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
  ['a version that goes on without a dash', `01-${TRACE}-${SPAN}-01x`],
  ['a list of two', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
])('it is not valid with %s', (_, value) => {
  expect(readTraceParent(value)).toBeUndefined();
});

test('identities are of the right length, and no two are the same', () => {
  const traces = Array.from({ length: 1000 }, newTraceId);
  const spans = Array.from({ length: 1000 }, newSpanId);
  expect(traces.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  expect(spans.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
  expect(new Set([...traces, ...spans]).size).toBe(2000);
});

test('whether a trace is sampled follows from its id', () => {
  const lowest = `${TRACE.slice(0, 24)}00000000`;
  const highest = `${TRACE.slice(0, 24)}ffffffff`;
  expect([isSampledAt(0, lowest), isSampledAt(1e-6, lowest), isSampledAt(1, highest)]).toEqual([false, true, true]);
  expect([isSampledAt(0.5, highest), isSampledAt(0.999, highest)]).toEqual([false, false]);
});
