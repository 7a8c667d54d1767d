import { expect, test } from 'vitest';
import { statusTable } from '../../src/cli/status-table.ts';
import type { ReplicaState } from '../../src/model/replica.ts';
import type { ReplicaStatus } from '../../src/model/status.ts';
import { serviceStatus } from '../support/service-status.ts';

const NOW = Date.UTC(2026, 0, 1);

function replicas(...states: ReplicaState[]): ReplicaStatus[] {
  return states.map((state, index) => ({
    id: `r${index}`,
    address: null,
    state,
    inFlight: 0,
    p95Ms: null,
    memoryMiB: null,
    startedAt: null,
  }));
}

const busy = serviceStatus({
  name: 'shop',
  state: 'ready',
  replicas: replicas('ready', 'ready', 'starting', 'created', 'stopped'),
  inFlight: 12,
  held: 3,
  latencyMs: { p50: 10, p95: 1234.5, p99: 2000 },
  lastActivity: { at: new Date(NOW - 42_000).toISOString(), what: 'GET /orders/…' },
  lastDecision: {
    id: 'a-1',
    kind: 'latency',
    outcome: null,
    at: new Date(NOW - 12_000).toISOString(),
    service: 'shop',
    action: 'scale-up',
    from: 2,
    to: 3,
    reason: 'p95 1.2s over 500ms',
    inputs: {},
    verdicts: [],
    dryRun: false,
  },
});

test('a row says state, replicas, load, latency and the last decision', () => {
  const [head, first, second, ...more] = statusTable([busy, serviceStatus({ name: 'blog' })], NOW, 200).split('\n');
  expect(head?.split(/ {2,}/)).toEqual([
    'service',
    'state',
    'replicas',
    'in flight',
    'held',
    'p95',
    'last activity',
    'last decision',
  ]);
  expect(first?.split(/ {2,}/)).toEqual([
    'shop',
    'ready',
    '2 + 1 starting',
    '12',
    '3',
    '1.23s',
    'GET /orders/… 42s ago',
    'scale-up 2→3: p95 1.2s over 500ms (12s ago)',
  ]);
  expect(second?.split(/ {2,}/)).toEqual(['blog', 'asleep', '0', '0', '0', '–', '–', '–']);
  expect(more).toEqual([]);
});

test.each([
  [[], '0'],
  [['created'], '0'],
  [['starting'], '1 starting'],
  [['failed'], '1 failed'],
  [['ready', 'draining', 'stopping', 'stopping'], '1 + 1 draining + 2 stopping'],
  [['paused', 'paused', 'created'], '2 paused'],
] as [ReplicaState[], string][])('replicas %j are shown as "%s"', (states, cell) => {
  const row = statusTable([serviceStatus({ name: 'x', replicas: replicas(...states) })], NOW, 200).split('\n')[1];
  expect(row?.split(/ {2,}/)[2]).toBe(cell);
});

test('a narrow terminal wraps the reason and nothing else', () => {
  const lines = statusTable([busy], NOW, 90).split('\n');
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(90);
  expect(lines[1]).toContain('2 + 1 starting');
  const column = lines[0]?.indexOf('last decision');
  const reason = lines.slice(1).map((line) => line.slice(column).trim());
  expect(reason.join(' ')).toBe('scale-up 2→3: p95 1.2s over 500ms (12s ago)');
});

test('a dry run is told apart', () => {
  const lastDecision = busy.lastDecision && { ...busy.lastDecision, dryRun: true };
  expect(statusTable([{ ...busy, lastDecision }], NOW, 200)).toContain('scale-up 2→3 (dry run): ');
});

test('what keeps the next change back stands beside the last one, and alone where there was none', () => {
  const heldBack = { since: new Date(NOW - 42_000).toISOString(), guards: ['step', 'budget'], reason: 'p95 1.2s' };
  expect(statusTable([{ ...busy, heldBack }], NOW, 200)).toContain(
    'scale-up 2→3: p95 1.2s over 500ms (12s ago); held back by step, budget for 42s',
  );
  const alone = statusTable([{ ...busy, lastDecision: null, heldBack }], NOW, 200).split('\n')[1];
  expect(alone).toMatch(/ago {2}held back by step, budget for 42s$/);
});

test('what counts as slow stands beside the p95 where there is room', () => {
  const threshold = { aboveMs: 240, quantile: 0.95, source: 'learnt' as const, lowLoadMs: 120, missing: null };
  const cell = (of: typeof threshold, columns: number) =>
    statusTable([{ ...busy, threshold: of }], NOW, columns)
      .split('\n')[1]
      ?.split(/ {2,}/)[5];
  expect(cell(threshold, 200)).toBe('1.23s (240ms)');
  expect(cell({ ...threshold, quantile: 0.99 }, 200)).toBe('1.23s (p99 240ms)');
  expect(cell(threshold, 100)).toBe('1.23s');
});

test('no services are said in words', () => {
  expect(statusTable([], NOW, 80)).toBe('no services are configured');
});

test('80 columns hold a row with its last decision, and no last activity', () => {
  const lines = statusTable([busy], NOW, 80).split('\n');
  expect(lines[0]).toMatch(/p95 +last decision$/);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(lines.slice(1).join(' ').replaceAll(/ +/g, ' ')).toContain('scale-up 2→3: p95');
});
