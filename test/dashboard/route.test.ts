import { expect, test } from 'vitest';
import { parseRoute, printRoute } from '../../src/dashboard/route.ts';

test('an address without a fragment leads to the services', () => {
  expect(parseRoute('')).toMatchObject({ page: 'services', name: '' });
  expect(parseRoute('#/')).toMatchObject({ page: 'services', name: '' });
});

test.each(['shop', 'a b', 'ümlaut/с', '100%', 'a?b=c&d'])('the page of the service "%s" is found again', (name) => {
  expect(parseRoute(printRoute('service', name))).toMatchObject({ page: 'service', name });
});

test('the filter comes back out of the address, and what is empty is left out', () => {
  const printed = printRoute('services', '', { q: 'a & b', state: '', sort: 'p95' });
  expect(printed).toBe('#/services?q=a+%26+b&sort=p95');
  expect([...parseRoute(printed).query]).toEqual([
    ['q', 'a & b'],
    ['sort', 'p95'],
  ]);
});

test('a name that is no valid percent-encoding is taken as it is', () => {
  expect(parseRoute('#/service/100%')).toMatchObject({ name: '100%' });
});
