import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { whyText } from '../../src/cli/why-text.ts';
import type { Decision, Refusal, ServiceWhy } from '../../src/model/decision.ts';
import { fakeAdmin } from './fake-admin.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

/** Local noon, so that times and days read the same everywhere. */
const NOON = new Date(2026, 10, 29, 12, 0, 0).getTime();
const at = (seconds: number) => new Date(NOON + seconds * 1000).toISOString();

const up: Decision = {
  id: 'a-1',
  at: at(0),
  service: 'shop',
  action: 'scale-up',
  kind: 'latency',
  from: 1,
  to: 2,
  reason: 'p95 1,802 ms > 500 ms for 3 ticks',
  inputs: { ready: 1, starting: 0, inFlight: 42, quantileMs: 1802, arrivalsPerSecond: 40.26, stepUp: 1 },
  verdicts: [
    { guard: 'samples', verdict: 'pass', detail: '177 samples in 15 s, 20 needed' },
    { guard: 'budget', verdict: 'limit', detail: 'max 2, 48 more within the budget of all services' },
  ],
  dryRun: false,
  outcome: { at: at(17), text: 'helped: p95 1,802 → 240 ms' },
};

const refusal: Refusal = {
  id: 'a-2',
  at: at(60),
  service: 'shop',
  action: 'none',
  kind: 'latency',
  from: 2,
  to: 2,
  reason: 'p95 600 ms > 500 ms for 3 ticks',
  inputs: {},
  verdicts: [{ guard: 'budget', verdict: 'block', detail: 'max 2' }],
  dryRun: false,
  ended: { at: at(102), lastedMs: 42_000, ticks: 42 },
};

const why = (...decisions: ServiceWhy['decisions']): ServiceWhy => ({
  service: 'shop',
  decisions,
  heldBack: null,
  threshold: null,
  idle: null,
  schedule: null,
});
const text = (what: ServiceWhy, columns = 100, most = 20) => whyText(what, most, NOON + 120_000, columns);

const cli = (line: string, terminal: FakeTerminal) => runCli(line.split(' '), noProgram, terminal);

test('a decision reads: when, what, why, each guard, the numbers, what came of it', () => {
  expect(text(why(up))).toBe(
    [
      '2026-11-29',
      '12:00:00  scale-up 1→2: p95 1,802 ms > 500 ms for 3 ticks',
      '          samples  pass   177 samples in 15 s, 20 needed',
      '          budget   limit  max 2, 48 more within the budget of all services',
      '          with ready 1, in flight 42, quantile 1.8s, arrivals 40/s',
      '          → helped: p95 1,802 → 240 ms (after 17s)',
    ].join('\n'),
  );
});

test('a refusal says how long it stood', () => {
  const lines = text(why(refusal)).split('\n');
  expect(lines[1]).toBe('12:01:00  held back at 2: p95 600 ms > 500 ms for 3 ticks');
  expect(lines[2]).toBe('          budget  block  max 2');
  expect(lines[3]).toBe('          → over after 42s, 42 ticks');
  expect(text(why({ ...refusal, ended: null }))).toContain('→ stands since 1m');
  const cut = { at: at(102), lastedMs: 42_000, ticks: null };
  expect(text(why({ ...refusal, ended: cut }))).toContain('→ over after 42s at most: the proxy ended meanwhile');
});

test('what holds the next change back stands last', () => {
  const heldBack = { since: at(78), guards: ['budget'], reason: 'p95 600 ms > 500 ms for 42 ticks, but max 2' };
  expect(
    text({ ...why(up), heldBack })
      .split('\n')
      .slice(-2),
  ).toEqual(['', 'held back now by budget, for 42s: p95 600 ms > 500 ms for 42 ticks, but max 2']);
});

test('a dry run and an unknown outcome are to be seen', () => {
  const lines = text(why({ ...up, dryRun: true, outcome: null }));
  expect(lines).toContain('scale-up 1→2 (dry run): p95');
  expect(lines).not.toContain('\n          →');
});

test('each day has a line of its own', () => {
  const lines = text(why({ ...up, at: at(-86_400) }, up)).split('\n');
  expect(lines.filter((line) => /^\d{4}-/.test(line))).toEqual(['2026-11-28', '2026-11-29']);
});

test.each([40, 60, 80, 100])('nothing is wider than %d columns', (columns) => {
  const detail = 'a long detail with many words '.repeat(8).trim();
  const long = { ...up, reason: detail, verdicts: [{ guard: 'step', verdict: 'pass' as const, detail }] };
  const lines = text(why(long, { ...up, reason: 'x'.repeat(300) }), columns).split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  expect(lines.join(' ').replace(/ +/g, ' ')).toContain(detail);
});

test('the last are shown, and that there are more', () => {
  const lines = text(why(up, up, refusal), 100, 2).split('\n');
  expect(lines[0]).toBe('the last 2 of 3; --since DURATION shows more');
  expect(lines.filter((line) => line.includes('scale-up'))).toHaveLength(1);
});

test('a service about which nothing was decided is said in words', () => {
  expect(text(why())).toBe('nothing was decided about shop');
  const threshold = { aboveMs: 1000, quantile: 0.95, source: 'first' as const, lowLoadMs: null, missing: 1 };
  expect(text({ ...why(), threshold })).toBe(
    'nothing was decided about shop\nslow is p95 over 1s (auto: known after 1 more request at low load)',
  );
});

test.each([
  ['configured', null, null, 'slow is p99 over 240ms'],
  ['first', null, 60, 'slow is p99 over 240ms (auto: known after 60 more requests at low load)'],
  ['first', null, null, 'slow is p99 over 240ms (auto: nothing is learnt with a max of 1)'],
  ['learnt', 120, null, 'slow is p99 over 240ms (auto: 120ms at low load)'],
] as const)('the threshold that is %s stands at the end', (source, lowLoadMs, missing, line) => {
  const threshold = { aboveMs: 240, quantile: 0.99, source, lowLoadMs, missing };
  expect(
    text({ ...why(up), threshold })
      .split('\n')
      .slice(-2),
  ).toEqual(['', line]);
});

test('why asks the proxy, since when it is told', async () => {
  const { url, asked } = await fakeAdmin(200, why(up));
  const terminal = fakeTerminal();
  expect(await cli(`why shop --admin ${url}`, terminal)).toBe(0);
  expect(await cli(`why shop --since 10m --admin ${url}`, terminal)).toBe(0);
  expect(await cli(`why shop --since 2026-11-29T12:00:00+01:00 --json --admin ${url}`, terminal)).toBe(0);
  expect(asked).toEqual([
    'GET /v1/services/shop/why -',
    'GET /v1/services/shop/why?since=10m -',
    'GET /v1/services/shop/why?since=2026-11-29T12%3A00%3A00%2B01%3A00 -',
  ]);
  expect(terminal.stdout[0]).toContain('12:00:00  scale-up 1→2');
  expect(JSON.parse(terminal.stdout[2] as string)).toEqual(why(up));
});

test('a --since that is no time is wrong usage', async () => {
  const terminal = fakeTerminal();
  expect(await cli('why shop --since yesterday', terminal)).toBe(2);
  expect(terminal.stderr[0]).toContain('--since is a duration such as 10m, or a time');
});
