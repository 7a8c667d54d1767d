import fc from 'fast-check';
import { expect, test } from 'vitest';
import { preferredCoding } from '../../../src/edge/compress/accept-encoding.ts';
import { contentCodings } from '../../../src/model/compress-settings.ts';

test.each<[accepted: string | undefined, coding: string | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['gzip', 'gzip'],
  ['gzip, deflate, br', 'br'],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate, compress', undefined],
  ['br;q=0.5, gzip;q=0.8', 'gzip'],
  ['br; q=0.8 , gzip ;q=0.8', 'br'],
  ['gzip;q=1.0, br;q=0.999', 'gzip'],
  ['gzip;Q=0.3, br;q=0.2', 'gzip'],
  ['gzip;q=0', undefined],
  ['gzip;q=0.000, br', 'br'],
  ['*', 'zstd'],
  ['*;q=0', undefined],
  ['zstd;q=0, *', 'br'],
  ['gzip, *;q=0', 'gzip'],
  ['gzip;q=0.1, *;q=0.5', 'zstd'],
  ['identity', undefined],
  ['identity, gzip;q=0.5', undefined],
  ['identity;q=0.5, gzip', 'gzip'],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['identity;q=0, gzip;q=0.1', 'gzip'],
  // None of ours is wanted: what is sent as it is may still be of use, and a refusal is not.
  ['identity;q=0', undefined],
  ['identity;q=0, deflate', undefined],
  ['*;q=0, identity;q=0', undefined],
  // What makes no sense says nothing.
  ['gzip;q=2', undefined],
  ['gzip;q=0.1234', undefined],
  ['gzip;level=9', undefined],
  ['gzip;q=, br', 'br'],
  [', ,gzip,,', 'gzip'],
  [`${'a,'.repeat(63)}gzip`, 'gzip'],
  [`${'a,'.repeat(64)}gzip`, undefined],
])('of Accept-Encoding: %s the choice is %s', (accepted, coding) => {
  expect(preferredCoding(accepted, contentCodings)).toBe(coding);
});

test('only what is offered is chosen, in the order in which it is', () => {
  expect(preferredCoding('zstd, br, gzip', ['gzip', 'br'])).toBe('gzip');
  expect(preferredCoding('zstd', ['gzip', 'br'])).toBeUndefined();
});

test('whatever is sent, nothing is chosen that the client excludes or does not name', () => {
  const name = fc.constantFrom('gzip', 'br', 'zstd', 'deflate', 'identity', '*');
  const weight = fc.constantFrom(undefined, '0', '0.001', '0.5', '1', '1.000');
  const members = fc.uniqueArray(fc.tuple(name, weight), { selector: ([each]) => each });
  fc.assert(
    fc.property(members, (listed) => {
      const list = listed.map(([each, q]) => (q === undefined ? each : `${each};q=${q}`)).join(', ');
      const weights = new Map(listed.map(([each, q]) => [each, Number(q ?? 1)]));
      const coding = preferredCoding(list, contentCodings);
      const weightOf = (each: (typeof contentCodings)[number]) => weights.get(each) ?? weights.get('*') ?? 0;
      const best = Math.max(...contentCodings.map(weightOf));
      if (best === 0 || best < (weights.get('identity') ?? 0)) expect(coding).toBeUndefined();
      else expect(coding).toBe(contentCodings.find((each) => weightOf(each) === best));
    }),
  );
});
