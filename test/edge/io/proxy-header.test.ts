import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readProxyHeader } from '../../../src/edge/client/proxy-protocol.ts';
import { proxyHeader } from '../../../src/edge/io/proxy-header.ts';
import { canonicalIpv6 } from '../../../src/util/ip-address.ts';

const FOUR = { source: '192.0.2.1', sourcePort: 4711, destination: '198.51.100.2', destinationPort: 5432 };
const SIX = { source: '2001:db8::1', sourcePort: 1, destination: '::1', destinationPort: 65535 };
const SIGNATURE = '0d0a0d0a000d0a515549540a';

describe('a PROXY header of ours', () => {
  test('of version 1 is, byte for byte', () => {
    expect(proxyHeader('v1', FOUR).toString('latin1')).toBe('PROXY TCP4 192.0.2.1 198.51.100.2 4711 5432\r\n');
    expect(proxyHeader('v1', SIX).toString('latin1')).toBe('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n');
  });

  test('of version 2 is, byte for byte', () => {
    expect(proxyHeader('v2', FOUR).toString('hex')).toBe(`${SIGNATURE}2111000cc0000201c633640212671538`);
    expect(proxyHeader('v2', SIX).toString('hex')).toBe(
      `${SIGNATURE}2121002420010db8000000000000000000000001000000000000000000000000000000010001ffff`,
    );
  });

  test('names both ends in one family', () => {
    const mixed = { ...FOUR, source: '2001:db8::1' };
    expect(proxyHeader('v1', mixed).toString('latin1')).toBe(
      'PROXY TCP6 2001:db8::1 ::ffff:198.51.100.2 4711 5432\r\n',
    );
    expect(proxyHeader('v2', mixed).toString('hex')).toBe(
      `${SIGNATURE}2121002420010db800000000000000000000000100000000000000000000ffffc633640212671538`,
    );
  });

  test('names nobody whose address is not known', () => {
    const unknown = { ...FOUR, source: 'unknown' };
    expect(proxyHeader('v1', unknown).toString('latin1')).toBe('PROXY UNKNOWN\r\n');
    expect(proxyHeader('v2', unknown).toString('hex')).toBe(`${SIGNATURE}21000000`);
  });

  test('is read as it was meant', () => {
    const port = fc.integer({ min: 0, max: 65535 });
    const address = fc.oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6()));
    fc.assert(
      fc.property(
        fc.constantFrom('v1' as const, 'v2' as const),
        address,
        port,
        port,
        (version, [source, destination], sourcePort, port) => {
          const bytes = proxyHeader(version, { source, sourcePort, destination, destinationPort: port });
          const expected = source.includes(':') ? canonicalIpv6(source) : source;
          expect(readProxyHeader(bytes)).toMatchObject({
            outcome: 'read',
            length: bytes.length,
            source: expected,
            sourcePort,
            port,
          });
        },
      ),
    );
  });
});
