import { expect, test } from 'vitest';
import { countsIn, whyUncounted } from '../../load-tests/bench/counters.ts';
import type { Measured } from '../../load-tests/bench/measure.ts';
import { renderTable } from '../../load-tests/bench/report.ts';
import { roundOf } from '../../load-tests/bench/sample.ts';

const SAMPLE = { requests: 1000, seconds: 1, p50: 1, p99: 2, failed: 0 };
const PRINTED = `41234000,,instructions:u,100,100.00,,
5500,,cache-misses,100,100.00,,
`;

const measured = (text?: string): Measured => ({
  subject: { name: 'pilotlight', port: 1, pid: 1, adminPort: 1 },
  rounds: [roundOf(SAMPLE, undefined, undefined, text === undefined ? undefined : countsIn(text))],
});

test('what the processor counted stands in the table per request', () => {
  const table = renderTable([measured(PRINTED)], []);
  expect(table).toContain('instructions/request');
  expect(table).toContain('41234 (41234–41234)');
  expect(table).toContain('5.5 (5.5–5.5)');
});

test.each([
  ['where it does not count', undefined],
  ['where perf says so', '<not supported>,,instructions,0,100.00,,\n<not supported>,,cache-misses,0,100.00,,\n'],
])('the table has no columns for it %s', (_, text) => {
  expect(renderTable([measured(text)], [])).not.toContain('instructions');
});

test('a machine without perf is said to count nothing', () => {
  expect(whyUncounted(new Set())).toBe('perf is missing');
});
