import { describe, expect, test } from 'vitest';
import { plainAddress, TrustedProxies, UNKNOWN_CLIENT } from '../../../src/edge/io/client-address.ts';

describe('the client is the rightmost address that is not trusted', () => {
  const trusted = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8']);

  test.each<[peer: string, forwardedFor: string | undefined, client: string]>([
    ['198.51.100.1', undefined, '198.51.100.1'],
    ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['10.1.1.1', undefined, '10.1.1.1'],
    ['10.1.1.1', '203.0.113.9', '203.0.113.9'],
    ['10.1.1.1', '1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['10.1.1.1', '203.0.113.9, 10.2.2.2', '203.0.113.9'],
    ['10.1.1.1', '1.2.3.4, 203.0.113.9, 10.2.2.2, 192.0.2.7', '203.0.113.9'],
    ['10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['10.1.1.1', '203.0.113.9,10.2.2.2', '203.0.113.9'],
    ['10.1.1.1', '203.0.113.9:4711', '203.0.113.9'],
    ['10.1.1.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['10.1.1.1', '2001:db8::1', '2001:db8::1'],
    ['10.1.1.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['fd00::1', '203.0.113.9', '203.0.113.9'],
    ['10.1.1.1', '203.0.113.9, unknown', UNKNOWN_CLIENT],
    ['10.1.1.1', '203.0.113.9, garbage, 10.2.2.2', UNKNOWN_CLIENT],
    ['10.1.1.1', '1.2.3.4, _hidden', UNKNOWN_CLIENT],
    ['10.1.1.1', '1.2.3.4:x', UNKNOWN_CLIENT],
    ['10.1.1.1', '1.2.3.4:', UNKNOWN_CLIENT],
    ['10.1.1.1', '[1.2.3.4]', UNKNOWN_CLIENT],
    ['10.1.1.1', '[2001:db8::1]junk', UNKNOWN_CLIENT],
    ['10.1.1.1', '2001:db8::1, junk', UNKNOWN_CLIENT],
    ['10.1.1.1', 'junk, 203.0.113.9', '203.0.113.9'],
    ['10.1.1.1', '203.0.113.9, , 10.2.2.2,', '203.0.113.9'],
    ['10.1.1.1', '[2001:db8::1]', '2001:db8::1'],
    ['10.1.1.1', '', '10.1.1.1'],
    ['10.1.1.1', ',,,', '10.1.1.1'],
    ['10.1.1.1', 'fe80::1%eth0', 'fe80::1%eth0'],
    ['10.1.1.1', '[', UNKNOWN_CLIENT],
  ])('%s with %s → %s', (peer, forwardedFor, client) => {
    expect(trusted.client(peer, forwardedFor)).toBe(client);
  });

  test('what is no address is in no range, not even in those of all addresses', () => {
    const everybody = new TrustedProxies(['0.0.0.0/0', '::/0']);
    expect(everybody.has(UNKNOWN_CLIENT)).toBe(false);
  });

  test('nobody is trusted by default', () => {
    const nobody = new TrustedProxies([]);
    expect(nobody.has('127.0.0.1')).toBe(false);
    expect(nobody.client('127.0.0.1', '203.0.113.9')).toBe('127.0.0.1');
  });

  test('what is no address is not trusted', () => {
    for (const text of ['', 'localhost', '10.0.0', '10.0.0.1.1', '10.0.0.1/8']) expect(trusted.has(text)).toBe(false);
  });
});

test.each([
  ['1.2.3.4', '1.2.3.4'],
  ['1.2.3.4:80', '1.2.3.4'],
  ['[::1]:80', '::1'],
  ['[::1]', '::1'],
  ['::1', '::1'],
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:1.2.3.4', '1.2.3.4'],
  ['[::ffff:1.2.3.4]:80', '1.2.3.4'],
])('the address of %s is %s', (text, address) => {
  expect(plainAddress(text)).toBe(address);
});
