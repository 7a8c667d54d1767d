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
  pausedSeconds: 0,
  resumes: 0,
  disk: null,
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
  expect(lines[2]).toMatch(/^shop +1234 +10 +15s +10m 30s +22\.4 MiB h +12\.5s +0\.50$/);
  expect(lines[3]).toMatch(/^ {2}always on +0 +0ms +24h +3 GiB h +10\.00$/);
  expect(lines[4]).toMatch(/^ {2}idle: 10m +4 +6s +1h 40m +0\.208 GiB h +1\.50$/);
  expect(lines[8]).toMatch(/^all +2468 +20 +30s +21m +44\.8 MiB h +25s +0\.75$/);
});

test('without prices there is no money, and without measurements no memory', () => {
  const lines = costsText(costs({ ...shop('shop', null), memoryMiBSeconds: null, cpuSeconds: null })).split('\n');
  expect(lines[1]).not.toContain('EUR');
  expect(lines[2]).toMatch(/10m 30s +– +–$/);
  expect(lines).toHaveLength(5);
  expect(costsText(costs())).toBe('nothing ran since 2026-11-22T12:00:00.000Z');
});

test('small figures are told in units that fit, whatever they are', () => {
  const small = (memoryMiBSeconds: number, money: number | null = null) =>
    costsText(costs({ ...shop('shop', money), memoryMiBSeconds })).split('\n')[2];
  expect(small(0.03)).toContain(' 0.03 MiB s ');
  expect(small(30)).toContain(' 30 MiB s ');
  expect(small(3600)).toContain(' 1 MiB h ');
  expect(small(1024 * 3600 * 1234)).toContain(' 1234 GiB h ');
  expect(small(1, 0.000_012_3)).toMatch(/ 0\.0000123$/);
});

test('what is paused and what images take have columns where there is any', () => {
  const disk = { alone: 1.5 * 2 ** 20, shared: 2 ** 30 };
  const lines = costsText(
    costs({ ...shop('shop', null), pausedSeconds: 7200, resumes: 9, disk }, shop('wiki', null)),
  ).split('\n');
  expect(lines[1]).toMatch(/CPU +paused +resumes +disk alone +shared$/);
  expect(lines[2]).toMatch(/12\.5s +2h +9 +1\.5 MiB +1 GiB$/);
  expect(lines[5]).toMatch(/^wiki .* 0ms +0 +– +–$/);
});
