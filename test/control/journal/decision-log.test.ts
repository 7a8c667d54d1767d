import { expect, test } from 'vitest';
import { decisionLog as log } from '../support/decision-log.ts';

const up = { action: 'scale-up', kind: 'latency', from: 2, to: 3, reason: 'p95 900 ms > 500 ms' } as const;

test('a change has an id by which it is told later what came of it', () => {
  const { decisions, said, scaled, kept } = log();
  const first = scaled(up) as string;
  const second = scaled({ ...up, from: 3, to: 4 }) as string;
  expect(second).not.toBe(first);
  decisions.cameOf(first, 'helped: p95 1,802 → 240 ms');
  expect(decisions.entries).toMatchObject([
    { id: first, outcome: { text: 'helped: p95 1,802 → 240 ms' } },
    { id: second, outcome: null },
  ]);
  expect(said.at(-1)).toBe('outcome: shop scale-up 2→3 helped: p95 1,802 → 240 ms');
  expect(kept.records.at(-1)).toMatchObject({ v: 1, record: 'outcome', of: first, service: 'shop' });
});

test('news of a change that is remembered no more are kept and said all the same', () => {
  const { decisions, said, kept } = log();
  decisions.cameOf('of-long-ago', 'helped');
  expect(said).toEqual(['outcome: shop an earlier change helped']);
  expect(kept.records).toMatchObject([{ record: 'outcome', of: 'of-long-ago' }]);
});

test('a refusal leaves the last change, and shows what holds the next back with its present numbers', () => {
  const { clock, decisions, scaled, refused } = log();
  const id = scaled(up);
  const since = new Date(clock.wall()).toISOString();
  refused('budget', 'max 3');
  for (let tick = 0; tick < 9; tick++) refused('budget', `max 3, tick ${tick}`);
  expect(decisions.last?.id).toBe(id);
  expect(decisions.heldBack).toEqual({ since, guards: ['budget'], reason: 'p95 900 ms > 500 ms, but max 3, tick 8' });
  scaled({});
  expect(decisions.heldBack).toBeNull();
});

test('a refusal whose numbers change is one refusal, written at its begin and at its end', () => {
  const { clock, said, scaled, refused, kept } = log();
  const began = new Date(clock.wall()).toISOString();
  for (let tick = 0; tick < 100; tick++) refused('step', `last change ${tick} s ago`);
  for (let tick = 0; tick < 5; tick++) scaled({});
  expect(kept.records.map(({ record }) => record)).toEqual(['refusal', 'refusal-end']);
  expect(kept.records[0]).toMatchObject({ at: began, kind: 'latency', inputs: { ready: 2 } });
  expect(kept.records[1]).toMatchObject({ lastedMs: 100_000, ticks: 100 });
  expect(said).toEqual([
    'refused: shop stays at 2: p95 900 ms > 500 ms, refused by step (last change 0 s ago)',
    'refusal-ended: shop no longer kept at 2 by step after 1m 40s (latency)',
  ]);
});

test('a change ends what was refused, whoever decided on it', () => {
  const { decisions, refused, kept } = log();
  for (let tick = 0; tick < 4; tick++) refused('step');
  decisions.adopting(2, 3, 'started by somebody else');
  expect(kept.records.map(({ record }) => record)).toEqual(['refusal', 'refusal-end', 'decision']);
  expect(decisions.heldBack).toBeNull();
});

test('a guard that blocks is counted once for each refusal, not at each tick', () => {
  const { metrics, scaled, refused } = log();
  for (let tick = 0; tick < 10; tick++) refused('budget');
  expect(metrics.get('pilotlight_guard_blocks_total', { service: 'shop', guard: 'budget' })).toBe(1);
  scaled(up);
  refused('budget');
  expect(metrics.get('pilotlight_guard_blocks_total', { service: 'shop', guard: 'budget' })).toBe(2);
  expect(metrics.get('pilotlight_scale_decisions_total', { service: 'shop', direction: 'up', reason: 'latency' })).toBe(
    1,
  );
});

test('refusals do not crowd changes out, and both are bounded', () => {
  const { decisions, scaled, refused } = log();
  const id = scaled(up);
  for (let round = 0; round < 250; round++) for (let tick = 0; tick < 3; tick++) refused(`guard-${round}`);
  expect(decisions.last?.id).toBe(id);
  expect(decisions.entries).toHaveLength(101);
  expect(decisions.entries[0]?.id).toBe(id);
});

test('what an earlier process left is remembered; a refusal that it did not end is over', () => {
  const before = log();
  before.scaled(up);
  for (let tick = 0; tick < 4; tick++) before.refused('budget');
  const journal = { append() {}, takeEarlier: () => JSON.parse(JSON.stringify(before.decisions.entries)) };
  const { decisions } = log(journal);
  expect(decisions.last).toMatchObject({ action: 'scale-up', from: 2, to: 3 });
  expect(decisions.heldBack).toBeNull();
  expect(decisions.entries[1]).toMatchObject({ action: 'none', ended: { ticks: null } });
});

test('at the end of the proxy what is refused is over', () => {
  const { decisions, refused, kept } = log();
  for (let tick = 0; tick < 4; tick++) refused('budget');
  decisions.close();
  decisions.close();
  expect(kept.records.map(({ record }) => record)).toEqual(['refusal', 'refusal-end']);
});
