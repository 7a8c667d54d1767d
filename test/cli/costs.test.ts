import { expect, test } from 'vitest';
import { costsText } from '../../src/cli/costs.ts';
import type { Costs, ServiceCosts } from '../../src/model/costs.ts';

const amounts = (replicaSeconds: number, coldStarts: number, money: number | null) => ({
  replicaSeconds,
  memoryMiBSeconds: replicaSeconds * 128,
  coldStarts,
  waitedSeconds: coldStarts * 1.5,
  money,
});
const shop = (service: string, money: number | null): ServiceCosts => ({
  service,
  ...amounts(630, 10, money),
  cpuSeconds: 12.5,
  requests: 1234,
  alwaysOn: amounts(86_400, 0, money && money * 20),
  fixed10m: amounts(6000, 4, money && money * 3),
});
const costs = (...services: ServiceCosts[]): Costs => ({
  since: '2026-11-22T12:00:00.000Z',
  until: '2026-11-29T12:00:00.000Z',
  currency: 'EUR',
  services,
});

test('each service with what it would have taken otherwise, and the sum of several', () => {
  const lines = costsText(costs(shop('shop', 0.5), shop('wiki', 0.25))).split('\n');
  expect(lines[0]).toBe('since 2026-11-22T12:00:00.000Z');
  expect(lines[1]).toMatch(/^service +requests +cold starts +waited +replica time +memory +CPU +EUR$/);
  expect(lines[2]).toMatch(/^shop +1234 +10 +15s +10m 30s +0\.0219 GiB h +12\.5s +0\.50$/);
  expect(lines[3]).toMatch(/^ {2}always on +0 +0ms +24h +3\.00 GiB h +10\.00$/);
  expect(lines[4]).toMatch(/^ {2}idle: 10m +4 +6s +1h 40m +0\.208 GiB h +1\.50$/);
  expect(lines[8]).toMatch(/^all +2468 +20 +30s +21m +0\.0437 GiB h +25s +0\.75$/);
});

test('without prices there is no money, and without measurements no memory', () => {
  const lines = costsText(costs({ ...shop('shop', null), memoryMiBSeconds: null, cpuSeconds: null })).split('\n');
  expect(lines[1]).not.toContain('EUR');
  expect(lines[2]).toMatch(/10m 30s +– +–$/);
  expect(lines).toHaveLength(5);
  expect(costsText(costs())).toBe('nothing ran since 2026-11-22T12:00:00.000Z');
});
