import { expect, test } from 'vitest';
import { SlotBroker } from '../../../src/control/link/slot-broker.ts';
import type { SlotGrant } from '../../../src/model/link.ts';

/** A broker of one service with two edges; `slots` is what each has by what it was told. */
function broker(capacities: Record<string, number>, edges = ['a', 'b']) {
  const sent: [string, SlotGrant][] = [];
  const made = new SlotBroker((edge, grant) => void sent.push([edge, grant]));
  for (const edge of edges) made.attach(edge);
  made.follow('s', new Map(Object.entries(capacities)));
  const granted = (edge: string, endpoint = 'x') =>
    sent
      .filter(([to, each]) => to === edge && each.endpoint === endpoint)
      .reduce((sum, [, { grant }]) => sum + grant, 0);
  const recalled = (edge: string) =>
    sent.filter(([to]) => to === edge).reduce((sum, [, { recall }]) => sum + recall, 0);
  const epoch = (endpoint = 'x') => sent.findLast(([, each]) => each.endpoint === endpoint)?.[1].epoch ?? 0;
  const claim = (edge: string, want: number, count = 0, endpoint = 'x') => {
    const back = count === 0 ? [] : [{ endpoint, epoch: epoch(endpoint), count }];
    made.onClaim(edge, { type: 'slots', service: 's', want, back });
  };
  return { made, sent, granted, recalled, claim, epoch };
}

test('slots lie evenly with the edges before anybody asks', () => {
  const { granted } = broker({ x: 5, y: 1 });
  expect([granted('a'), granted('b')].sort()).toEqual([2, 3]);
  expect(granted('a', 'y') + granted('b', 'y')).toBe(1);
});

test('many slots are shared out evenly too', () => {
  const { granted } = broker({ x: 100_001 }, ['a', 'b', 'c']);
  const shares = ['a', 'b', 'c'].map((edge) => granted(edge));
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(100_001);
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
});

test('what one edge wants is taken from one that wants nothing', () => {
  const { granted, recalled, claim } = broker({ x: 4 });
  claim('a', 2);
  expect([recalled('a'), recalled('b')]).toEqual([0, 2]);
  expect(granted('a')).toBe(2);
  claim('b', 0, 2);
  expect(granted('a')).toBe(4);
});

test('of two that want, each has its part; what is asked for once is not asked for again', () => {
  const { granted, recalled, claim } = broker({ x: 4 });
  claim('a', 9);
  expect(recalled('b')).toBe(2);
  claim('a', 12);
  expect(recalled('b')).toBe(2);
  claim('b', 5, 2);
  // What came back goes to the one that has less.
  expect([granted('a'), granted('b'), recalled('a')]).toEqual([2, 4, 0]);
});

test('a single slot goes round', () => {
  const { granted, recalled, claim } = broker({ x: 1 });
  const [first, second] = granted('a') === 1 ? ['a', 'b'] : ['b', 'a'];
  claim(first, 3);
  claim(second, 3);
  expect(recalled(first)).toBe(1);
  claim(first, 3, 1);
  expect(granted(second)).toBe(1);
  expect(recalled(second)).toBe(1);
});

test('the slots of an edge that is gone go to the others', () => {
  const { made, granted } = broker({ x: 4 });
  made.detach('a');
  expect(granted('b')).toBe(4);
});

test('an edge that comes later gets slots when it wants them', () => {
  const { made, granted, recalled, claim } = broker({ x: 4 }, ['a']);
  made.attach('b');
  expect([granted('a'), granted('b')]).toEqual([4, 0]);
  claim('b', 1);
  expect(recalled('a')).toBe(1);
  claim('a', 0, 1);
  expect(granted('b')).toBe(1);
});

test('a lower limit takes slots back, a higher one hands more out', () => {
  const { made, granted, recalled } = broker({ x: 4 });
  made.follow('s', new Map([['x', 1]]));
  expect(recalled('a') + recalled('b')).toBe(3);
  const { made: other, granted: more } = broker({ x: 4 });
  other.follow('s', new Map([['x', 6]]));
  expect(more('a') + more('b')).toBe(6);
  expect(granted('a') + granted('b')).toBe(4);
});

test('what is given back of an endpoint that was away in between does not count', () => {
  const { made, granted, claim, epoch, sent } = broker({ x: 2 });
  const before = epoch();
  made.follow('s', new Map());
  made.follow('s', new Map([['x', 2]]));
  expect(epoch()).not.toBe(before);
  sent.length = 0;
  made.onClaim('a', { type: 'slots', service: 's', want: 0, back: [{ endpoint: 'x', epoch: before, count: 1 }] });
  claim('b', 0);
  expect(granted('a') + granted('b')).toBe(0);
});

test('slots of an earlier control plane stay in use, and others are handed out when all edges are known', () => {
  const { made, granted, recalled, epoch } = broker({}, ['a', 'b']);
  made.hold();
  made.follow('s', new Map([['x', 4]]));
  expect(granted('a') + granted('b')).toBe(0);
  made.onClaim('b', { type: 'slots', service: 's', want: 2, back: [], kept: [{ endpoint: 'x', count: 3 }] });
  expect([granted('a'), granted('b')]).toEqual([0, 3]);
  made.handOut();
  expect(granted('a') + granted('b')).toBe(4);
  // An edge that was cut off comes back with slots that others have got meanwhile: all of them are asked for some.
  made.attach('c');
  made.onClaim('c', { type: 'slots', service: 's', want: 0, back: [], kept: [{ endpoint: 'x', count: 2 }] });
  expect(granted('c')).toBe(2);
  expect(recalled('a') + recalled('b') + recalled('c')).toBeGreaterThanOrEqual(2);
  expect(epoch()).toBe(1);
});
