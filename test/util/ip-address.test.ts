import { expect, test } from 'vitest';
import { canonicalIpv6, withoutMapping } from '../../src/util/ip-address.ts';

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::FFFF:10.0.0.1', '10.0.0.1'],
  ['::ffff:a00:1', '::ffff:a00:1'],
  ['::1', '::1'],
  ['::ffff:name', '::ffff:name'],
])('%s without a mapping is %s', (address, plain) => {
  expect(withoutMapping(address)).toBe(plain);
});

test.each([
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['0:0:0:0:0:ffff:a00:1', '::ffff:10.0.0.1'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['10.0.0.1', '10.0.0.1'],
  ['name', 'name'],
])('%s is spelled %s', (address, spelling) => {
  expect(canonicalIpv6(address)).toBe(spelling);
});
