import { expect, test } from 'vitest';
import { endpointsOf, type Instance } from '../../../src/discovery/consul/entries.ts';

const instance = (port: number, tags: string[], weight = 1, health: Instance['health'] = 'passing'): Instance => {
  return { host: '10.0.0.1', port, node: 'n', id: String(port), tags, health, weight };
};
const weights = (instances: Instance[], shares: Record<string, number>, more = {}) =>
  endpointsOf(instances, { shares, ...more }).endpoints.map(({ weight }) => weight);

test('an instance with a tag gets its share of all, and the others what is left by their weights', () => {
  expect(weights([instance(1, ['canary']), instance(2, []), instance(3, ['live'], 3)], { canary: 0.2 })).toEqual(
    [0.2, 0.2, 0.8 * 0.75].map((each) => expect.closeTo(each, 10)),
  );
});

test('two with the tag get it each', () => {
  const [one, two, rest] = weights([instance(1, ['canary']), instance(2, ['canary']), instance(3, [])], {
    canary: 0.3,
  });
  expect([one, two, rest]).toEqual([0.3, 0.3, expect.closeTo(0.4, 10)]);
});

test('without others shares are weights, and where nothing is left the others only stand in', () => {
  expect(weights([instance(1, ['a']), instance(2, ['b'])], { a: 0.1, b: 0.3 })).toEqual([0.1, 0.3]);
  expect(weights([instance(1, ['a']), instance(2, [])], { a: 1 })).toEqual([1, 0]);
});

test('nothing is shared where no usable instance has the tag', () => {
  expect(weights([instance(1, ['a'], 1, 'critical'), instance(2, [], 5)], { a: 0.5 })).toEqual([5]);
  expect(weights([instance(1, ['a'], 1, 'warning'), instance(2, [], 5)], { a: 0.5 }, { warning: 'avoid' })).toEqual([
    0, 5,
  ]);
});
