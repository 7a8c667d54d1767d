import { expect, test } from 'vitest';
import { certificatesText } from '../../src/cli/certificates.ts';
import type { CertificateStatus } from '../../src/model/certificates.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const order = { directory: 'https://acme.test/dir', challenge: 'http-01', by: null } as const;
const certificates: CertificateStatus[] = [
  {
    name: 'shop.test',
    names: ['shop.test', 'www.shop.test', 'api.shop.test'],
    source: 'file',
    file: '/etc/site.pem',
    issuer: 'Own CA',
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2026-11-28T00:00:00.000Z',
    order: null,
  },
  {
    name: 'a.test',
    names: ['a.test'],
    source: 'acme',
    file: '/state/a.test.pem',
    issuer: 'Authority',
    notBefore: '2026-11-01T00:00:00.000Z',
    notAfter: '2027-01-30T00:00:00.000Z',
    order: { ...order, state: 'served', renewAt: '2026-12-30T00:00:00.000Z', failure: null },
  },
  {
    name: 'b.test',
    names: ['b.test'],
    source: 'acme',
    file: null,
    issuer: null,
    notBefore: null,
    notAfter: null,
    order: {
      ...order,
      state: 'backing-off',
      renewAt: null,
      failure: {
        at: '2026-11-29T11:00:00.000Z',
        message: 'the authority refuses: rateLimited',
        inARow: 3,
        nextTryAt: '2026-11-29T12:20:00.000Z',
      },
    },
  },
];

test('every certificate has a line that tells its end and its renewal, and one for what failed', () => {
  const lines = certificatesText(certificates, NOW).split('\n');
  expect(lines.map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
    'certificate|signed by|ends|renewal',
    'shop.test and 2 more|Own CA|2026-11-28, expired|by its file, /etc/site.pem',
    'a.test|Authority|2027-01-30, 61 days left|at 2026-12-30T00:00:00.000Z',
    'b.test|–|not there yet|tried again at 2026-11-29T12:20:00.000Z',
    '|failed 3 times in a row, at last at 2026-11-29T11:00:00.000Z: the authority refuses: rateLimited',
  ]);
  expect(certificatesText([], NOW)).toBe('no listener ends TLS');
});
