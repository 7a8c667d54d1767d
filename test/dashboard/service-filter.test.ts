import { expect, test } from 'vitest';
import { filterServices, readFilter } from '../../src/dashboard/service-filter.ts';
import { serviceStatus } from '../support/service-status.ts';

const SERVICES = [
  serviceStatus({ name: 'api', state: 'ready', held: 2, latencyMs: { p50: 1, p95: 20, p99: 30 } }),
  serviceStatus({ name: 'API-old', state: 'failing' }),
  serviceStatus({ name: 'shop', state: 'asleep', troubles: [{ code: 'RUNTIME_UNREACHABLE', message: '', since: '' }] }),
  serviceStatus({ name: 'wiki', state: 'asleep', held: 5 }),
];
const named = (query: string) =>
  filterServices(SERVICES, readFilter(new URLSearchParams(query))).map(({ name }) => name);

test('a text is looked for in names, in either case', () => {
  expect(named('q=api')).toEqual(['api', 'API-old']);
});

test('a state leaves those in it, and trouble whatever has any', () => {
  expect(named('state=asleep')).toEqual(['shop', 'wiki']);
  expect(named('state=trouble')).toEqual(['API-old', 'shop']);
  expect(named('state=asleep&q=w')).toEqual(['wiki']);
});

test('the most urgent come first, and names keep their order where they are alike', () => {
  expect(named('sort=held')).toEqual(['wiki', 'api', 'API-old', 'shop']);
  expect(named('sort=state')).toEqual(['API-old', 'api', 'shop', 'wiki']);
  expect(named('sort=p95')).toEqual(['api', 'API-old', 'shop', 'wiki']);
  expect(named('sort=nonsense')).toEqual(['api', 'API-old', 'shop', 'wiki']);
});
