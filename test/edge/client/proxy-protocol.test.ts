import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ProxyHeader, readProxyHeader } from '../../../src/edge/client/proxy-protocol.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const PAYLOAD = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

const v1 = (text: string) => Buffer.from(text, 'latin1');
const from4 = [192, 0, 2, 1];
const to4 = [198, 51, 100, 2];
const ports = [0x30, 0x39, 0x01, 0xbb];
const from6 = [...Buffer.from('20010db8000000000000000000000001', 'hex')];
const to6 = [...Buffer.from('20010db8000000000000000000000002', 'hex')];

/** A header of version 2; `size` where it lies about its length. */
function v2(command: number, protocol: number, rest: number[], size = rest.length): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([command, protocol, size >> 8, size & 255, ...rest])]);
}

const tlv = (type: number, value: number[], size = value.length) => [type, size >> 8, size & 255, ...value];

type Valid = [name: string, header: Buffer, source: string | undefined, sourcePort: number, to?: To];
/** Port that the client connected to, and whether by TLS; by default what the headers above say. */
type To = { port: number; tls?: boolean };

function expected(header: Buffer, source: string | undefined, sourcePort: number, to: To | undefined) {
  const { port, tls } = to ?? { port: source === undefined ? 0 : 443 };
  return { outcome: 'read', length: header.length, source, sourcePort, port, tls };
}

const valid: Valid[] = [
  ['version 1, IPv4', v1('PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n'), '192.0.2.1', 12345],
  ['version 1, IPv6', v1('PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n'), '2001:db8::1', 12345],
  [
    'version 1, IPv6 in another spelling of the same address',
    v1('PROXY TCP6 2001:0DB8:0:0:0::0001 ::2 1 2\r\n'),
    '2001:db8::1',
    1,
    { port: 2 },
  ],
  [
    'version 1, the longest there is',
    v1('PROXY TCP6 ffff:f0ff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n'),
    'ffff:f0ff:ffff:ffff:ffff:ffff:ffff:ffff',
    65535,
    { port: 65535 },
  ],
  ['version 1, port 0', v1('PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n'), '192.0.2.1', 0, { port: 0 }],
  ['version 1, unknown', v1('PROXY UNKNOWN\r\n'), undefined, 0],
  ['version 1, unknown with more', v1('PROXY UNKNOWN ff::1 nonsense 99999 x\r\n'), undefined, 0],
  ['version 2, IPv4', v2(0x21, 0x11, [...from4, ...to4, ...ports]), '192.0.2.1', 12345],
  ['version 2, IPv6', v2(0x21, 0x21, [...from6, ...to6, ...ports]), '2001:db8::1', 12345],
  [
    'version 2, IPv4 in IPv6',
    v2(0x21, 0x21, [...Buffer.from('00000000000000000000ffffc0000201', 'hex'), ...to6, ...ports]),
    '::ffff:192.0.2.1',
    12345,
  ],
  [
    'version 2 with TLVs',
    v2(0x21, 0x11, [...from4, ...to4, ...ports, ...tlv(1, [104, 50]), ...tlv(4, []), ...tlv(0xee, [1, 2, 3])]),
    '192.0.2.1',
    12345,
  ],
  [
    'version 2 from one who came by TLS',
    v2(0x21, 0x11, [...from4, ...to4, ...ports, ...tlv(0x20, [1, 0, 0, 0, 0])]),
    '192.0.2.1',
    12345,
    { port: 443, tls: true },
  ],
  [
    'version 2 from one who did not come by TLS',
    v2(0x21, 0x11, [...from4, ...to4, ...ports, ...tlv(4, []), ...tlv(0x20, [6, 0, 0, 0, 0])]),
    '192.0.2.1',
    12345,
    { port: 443, tls: false },
  ],
  ['version 2, local', v2(0x20, 0x00, []), undefined, 0],
  ['version 2, local with addresses', v2(0x20, 0x11, [...from4, ...to4, ...ports]), undefined, 0],
  ['version 2, local with what nobody may look at', v2(0x20, 0xff, [1, 255, 255]), undefined, 0],
  ['version 2, unspecified', v2(0x21, 0x00, []), undefined, 0],
  ['version 2, a datagram', v2(0x21, 0x12, [...from4, ...to4, ...ports]), undefined, 0],
  [
    'version 2, a Unix socket',
    v2(
      0x21,
      0x31,
      Array.from({ length: 216 }, () => 47),
    ),
    undefined,
    0,
  ],
];

describe('a valid header', () => {
  test.each(valid)('is read: %s', (_name, header, source, sourcePort, to) => {
    expect(readProxyHeader(header)).toEqual(expected(header, source, sourcePort, to));
  });

  test.each(valid)('leaves what follows in the same segment alone: %s', (_name, header, source, sourcePort, to) => {
    const result = readProxyHeader(Buffer.concat([header, PAYLOAD]));
    expect(result).toEqual(expected(header, source, sourcePort, to));
  });

  test.each(valid)('is waited for at every split: %s', (_name, header) => {
    for (let size = 0; size < header.length; size++) {
      expect(readProxyHeader(header.subarray(0, size)), `${size} bytes`).toEqual({ outcome: 'more' });
    }
  });
});

const address4 = [...from4, ...to4, ...ports];

describe('what is no header is refused', () => {
  test.each<[string, Buffer]>([
    ['a request', PAYLOAD],
    ['another method that begins with P', v1('POST / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['lower case', v1('proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['a bare LF', v1('PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n')],
    ['only PROXY', v1('PROXY\r\n')],
    ['no words', v1('PROXY \r\n')],
    ['two spaces', v1('PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['a trailing space', v1('PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n')],
    ['one word too many', v1('PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n')],
    ['one word too few', v1('PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n')],
    ['IPv6 as TCP4', v1('PROXY TCP4 ::1 ::2 1 2\r\n')],
    ['IPv4 as TCP6', v1('PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['an address that is none', v1('PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n')],
    ['a destination that is none', v1('PROXY TCP4 192.0.2.1 a 1 2\r\n')],
    ['a name for an address', v1('PROXY TCP4 example.com 198.51.100.2 1 2\r\n')],
    ['a zone', v1('PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n')],
    ['a field smuggled into an address', v1('PROXY TCP4 192.0.2.1\r X: y 198.51.100.2 1 2\r\n')],
    ['a port with a leading zero', v1('PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n')],
    ['a port with a sign', v1('PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n')],
    ['a port out of range', v1('PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n')],
    ['an unknown family', v1('PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['unknown and more without a space', v1('PROXY UNKNOWNX\r\n')],
    ['a line of 108 bytes', v1(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)],
    ['107 bytes without an end', v1(`PROXY UNKNOWN ${'x'.repeat(93)}`)],
    ['a signature with one byte wrong', Buffer.concat([SIGNATURE.subarray(0, 11), Buffer.from([0x0b])])],
    ['a signature that goes on otherwise', v1('\r\n\r\nGET')],
    ['version 1 in binary', v2(0x11, 0x11, address4)],
    ['version 3 in binary', v2(0x31, 0x11, address4)],
    ['a command that does not exist', v2(0x22, 0x11, address4)],
    ['a family that does not exist', v2(0x21, 0x41, address4)],
    ['a transport that does not exist', v2(0x21, 0x13, address4)],
    ['addresses past the length', v2(0x21, 0x11, address4, 11)],
    ['IPv6 with the length of IPv4', v2(0x21, 0x21, address4)],
    ['a length beyond all need', v2(0x21, 0x11, [], 2049)],
    ['the greatest length', v2(0x21, 0x11, [], 65535)],
    ['a TLV cut in its head', v2(0x21, 0x11, [...address4, 4, 0])],
    ['a TLV that ends past the header', v2(0x21, 0x11, [...address4, ...tlv(4, [1], 2)])],
    ['a TLV that ends past all bytes', v2(0x21, 0x11, [...address4, ...tlv(4, [], 65535)])],
    ['a sound TLV and a cut one', v2(0x21, 0x11, [...address4, ...tlv(4, [1]), 4])],
    ['a TLV that would swallow the payload', v2(0x21, 0x11, [...address4, ...tlv(4, [], PAYLOAD.length)])],
  ])('%s', (_name, bytes) => {
    expect(readProxyHeader(Buffer.concat([bytes, PAYLOAD]))).toEqual({ outcome: 'broken' });
  });

  test('as soon as it can be told', () => {
    expect(readProxyHeader(v1('G'))).toEqual({ outcome: 'broken' });
    expect(readProxyHeader(v1('POS'))).toEqual({ outcome: 'broken' });
    expect(readProxyHeader(v1('\r\n\r\nG'))).toEqual({ outcome: 'broken' });
    expect(readProxyHeader(v2(0x21, 0x11, [], 2049))).toEqual({ outcome: 'broken' });
  });
});

/** Bytes that begin like a header, with everything behind in disorder. */
const likely = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ maxLength: 120 }).map((text) => v1(`PROXY ${text}`)),
  fc
    .tuple(fc.constantFrom('TCP4', 'TCP6', 'UNKNOWN'), fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.nat().map(String))))
    .map(([family, words]) => v1(`PROXY ${family} ${words.join(' ')}\r\nGET`)),
  fc
    .tuple(fc.integer({ min: 0x1f, max: 0x23 }), fc.integer({ min: 0, max: 255 }), fc.nat(300), fc.uint8Array())
    .map(([command, protocol, size, rest]) => v2(command, protocol, [...rest], size)),
  fc
    .tuple(fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 20 }), fc.nat(3))))
    .map(([tlvs]) =>
      v2(0x21, 0x11, [
        ...address4,
        ...tlvs.flatMap(([type, value, lie]) => tlv(type, [...value], value.length + (lie === 3 ? 1 : 0))),
      ]),
    ),
  fc.tuple(fc.constantFrom(...valid.map(([, header]) => header)), fc.nat(), fc.nat(255)).map(([header, at, byte]) => {
    const mutated = Buffer.concat([header, PAYLOAD]);
    mutated[at % mutated.length] = byte;
    return mutated;
  }),
);

test('whatever comes: it never throws, reads no further than there is, and says of a part what it says of the whole', () => {
  fc.assert(
    fc.property(likely, fc.nat(), (bytes, cut) => {
      const whole: ProxyHeader = readProxyHeader(bytes);
      if (whole.outcome === 'read') {
        expect(whole.length).toBeGreaterThan(0);
        expect(whole.length).toBeLessThanOrEqual(bytes.length);
        expect(whole.sourcePort).toBeLessThanOrEqual(65535);
        expect(whole.source ?? '').toMatch(/^[0-9a-f.:]*$/);
      }
      const part = readProxyHeader(bytes.subarray(0, cut % (bytes.length + 1)));
      if (part.outcome !== 'more') expect(part).toEqual(whole);
    }),
    { numRuns: 5000 },
  );
});
