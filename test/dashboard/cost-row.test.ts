import { expect, test } from 'vitest';
import { cellsOf } from '../../src/dashboard/cost-row.ts';
import type { ServiceCosts } from '../../src/model/costs.ts';

const otherwise = { replicaSeconds: 7200, memoryMiBSeconds: null, coldStarts: 0, waitedSeconds: 0, money: null };
const costs: ServiceCosts = {
  service: 'shop',
  replicaSeconds: 1800,
  memoryMiBSeconds: 360_000,
  coldStarts: 3,
  waitedSeconds: 4.2,
  money: 0.5,
  cpuSeconds: 12,
  requests: 400,
  pausedSeconds: 1800,
  resumes: 17,
  disk: { alone: 5 * 2 ** 20, shared: 2 ** 31 },
  alwaysOn: otherwise,
  fixed10m: otherwise,
};

test('of each service the time paused, the resumes and the disk stand beside the rest', () => {
  const row = ['shop', '30 min', '100 MiB', '3', '4.2 s', '30 min', '17', '5 MiB', '2 GiB'];
  expect(cellsOf(costs, 'EUR')).toEqual([...row, '0.5000 EUR', '2 h', '75 %', '2 h']);
  const bare = cellsOf({ ...costs, disk: null, memoryMiBSeconds: null, money: null }, 'EUR');
  expect(bare.slice(7, 10)).toEqual(['–', '–', '–']);
  expect(bare[2]).toBe('–');
});
