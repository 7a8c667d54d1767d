import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { ListenSettings } from '../../../src/model/settings.ts';
import { systemClock } from '../../../src/util/clock.ts';
import type { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { listenSettings } from '../../support/listen-settings.ts';
import { until } from '../../support/until.ts';
import { type FakeAuthority, json } from './fake-authority.ts';
import { DAY, HOST, LONG_MS, setUp } from './source-setup.ts';

vi.setConfig({ testTimeout: 120_000 });

describe('a certificate', () => {
  test('is ordered, proven by what every listener answers meanwhile, and served', async () => {
    const { make, listener, serve, untilTold, applied, served, authority } = await setUp();
    const source = make();
    const [first] = await serve(source, listener({ email: 'ops@shop.test' }), listenSettings() as ListenSettings);
    expect(first?.tls?.certificates).toEqual([]);
    await untilTold('certificate-issued');
    await until('it is served', () => served().length === 1, LONG_MS, 5);
    expect(served()[0]?.names).toEqual([HOST]);
    const proving = applied[0]?.map(({ acmeAnswers }) => Object.keys(acmeAnswers ?? {}));
    expect(proving).toEqual([['token-of-shop-test'], ['token-of-shop-test']]);
    expect(applied.at(-1)?.[0]?.acmeAnswers).toBeUndefined();
    expect(authority.to('/account')[0]?.payload).toEqual({
      termsOfServiceAgreed: true,
      contact: ['mailto:ops@shop.test'],
    });
    expect(source.status).toMatchObject([
      { name: HOST, source: 'acme', issuer: 'Fake authority', order: { state: 'served' } },
    ]);
    expect(source.facts).toHaveLength(1);
  });

  test('is not ordered for a host that one from a file is for, nor twice for two listeners', async () => {
    const { make, listener, serve, untilTold, folder, authority, told } = await setUp();
    const { cert, key } = makeCertificate({ names: ['*.shop.test'] });
    const file = join(folder, 'site.pem');
    writeFileSync(file, cert + key, { mode: 0o600 });
    const files = [{ cert: file, key: undefined, folder: undefined }];
    const hosts = ['www.shop.test', HOST, 'a.b.shop.test'];
    const source = make();
    await serve(source, listener({ hosts }, files), listener({ hosts: [HOST] }));
    await untilTold('certificate-issued', 2);
    expect(authority.to('/order').filter(({ path }) => path === '/order')).toHaveLength(2);
    expect(
      told
        .filter(({ type }) => type === 'certificate-issued')
        .map(({ host }) => host)
        .sort(),
    ).toEqual(['a.b.shop.test', HOST]);
    expect(source.status.map(({ name, source: from }) => `${name} ${from}`)).toEqual([
      '*.shop.test file',
      'shop.test acme',
      'a.b.shop.test acme',
    ]);
  });

  test('that was issued before is served from the first moment on, and renewed in its time as a replacement', async () => {
    const { make, listener, serve, untilTold, authority, clock, told } = await setUp();
    authority.directory = { renewalInfo: `${authority.url}/renewal` };
    const window = (days: number) => ({ start: iso(clock, days), end: iso(clock, days) });
    let days = 12;
    authority.interfere = ({ path }, response) => {
      if (!path.startsWith('/renewal/')) return false;
      json(response, 200, { suggestedWindow: window(days) }, { 'Retry-After': '86400' });
      return true;
    };
    const before = make();
    await serve(before, listener());
    await untilTold('certificate-issued');
    before.close();
    const source = make();
    const [equipped] = await serve(source, listener());
    expect(equipped?.tls?.certificates[0]?.names).toEqual([HOST]);
    // The authority's advice decides.
    const renewsAt = () => source.status[0]?.order?.renewAt;
    const isAdvised = () => {
      clock.advance(1);
      return renewsAt() === window(12).start;
    };
    await until('it is advised', isAdvised, LONG_MS, 5);
    expect(authority.to('/renewal/')[0]?.path).toMatch(/^\/renewal\/[\w-]{20,}\.[\w-]{10,}$/);
    // It wants it back at once.
    days = -1;
    clock.advance(DAY);
    await untilTold('certificate-renewed');
    const replaces = authority
      .to('/order')
      .filter(({ path }) => path === '/order')
      .at(-1)?.payload?.['replaces'];
    expect(`/renewal/${replaces}`).toBe(authority.to('/renewal/')[0]?.path);
    expect(told.map(({ type }) => type)).toEqual(['certificate-ordered', 'certificate-issued', 'certificate-renewed']);
  });

  test('is ordered by a profile that the authority offers, and by no other', async () => {
    const { make, listener, serve, untilTold, authority, told } = await setUp();
    authority.meta = { profiles: { short: 'six days', classic: 'ninety days' } };
    const source = make();
    await serve(source, listener({ profile: 'shor' }));
    await untilTold('certificate-failed');
    expect(told.at(-1)?.message).toContain('offers no profile "shor" (it offers short, classic)');
    await serve(source, listener({ profile: 'short' }));
    await untilTold('certificate-issued');
    expect(authority.to('/order').at(0)?.payload?.['profile']).toBe('short');
  });
});

describe('an authority that', () => {
  const cases: [string, FakeAuthority['interfere'], string | RegExp][] = [
    [
      'answers with too much',
      ({ path }, response) => path === '/directory' && !!response.end(Buffer.alloc(400_000, 'x')),
      'an answer of more than 256 KiB',
    ],
    [
      'answers with what is no directory',
      ({ path }, response) => path === '/directory' && !!response.end('<html>'),
      'a directory that lacks newNonce, newAccount or newOrder',
    ],
    [
      'answers with broken JSON',
      ({ path }, response) => {
        if (path !== '/order') return false;
        response.writeHead(201, { 'Content-Type': 'application/json' }).end('{"status":');
        return true;
      },
      'JSON that is broken',
    ],
    [
      'sends elsewhere',
      ({ path }, response) => path === '/directory' && !!response.writeHead(302, { Location: '/x' }).end(),
      'status 302: redirects are not followed',
    ],
    [
      'closes in the middle',
      ({ path }, response) => path === '/order' && !!response.destroy(),
      /127\.0\.0\.1:\d+ cannot be asked: the connection was reset/,
    ],
    [
      'gives a certificate of another host',
      ({ path }, response) =>
        path.startsWith('/certificate') && !!response.end(makeCertificate({ names: ['other.test'] }).cert),
      'a certificate that cannot be used',
    ],
    [
      'refuses with much text and with codes for terminals',
      ({ path }, response) => {
        if (path !== '/order') return false;
        const detail = `no\u001b[31m\nmore ${'x'.repeat(10_000)}`;
        json(response, 429, { type: 'urn:ietf:params:acme:error:rateLimited', detail }, { 'Retry-After': '7200' });
        return true;
      },
      /^no certificate for shop\.test from 127\.0\.0\.1:\d+: the authority refuses: rateLimited: no.more x{300,400}…; there is none/,
    ],
  ];
  test.each(cases)('%s is told of in one line, and asked again later', async (_name, interfere, message) => {
    const { make, listener, serve, untilTold, authority, told, clock } = await setUp();
    authority.interfere = interfere;
    await serve(make(), listener());
    await untilTold('certificate-failed');
    const news = told.at(-1);
    expect(news?.message).toMatch(message);
    expect(news?.message).not.toMatch(/\p{Cc}/u);
    authority.interfere = () => false;
    clock.advance(Date.parse(news?.nextTryAt ?? '') - clock.wall() + 1000);
    await untilTold('certificate-issued');
  });

  test('does not answer is given up after 30 s', async () => {
    const { make, listener, serve, untilTold, authority, told, clock } = await setUp();
    authority.interfere = ({ path }) => path === '/directory';
    await serve(make(), listener());
    await until('it is asked', () => authority.asked.length > 0, LONG_MS, 5);
    clock.advance(30_000);
    await untilTold('certificate-failed');
    expect(told.at(-1)?.message).toContain('no answer within 30 s');
  });

  test('takes none of its nonces is given up', async () => {
    const { make, listener, serve, untilTold, authority, told } = await setUp();
    authority.interfere = ({ path }, response) => {
      if (path !== '/account') return false;
      json(response, 400, { type: 'urn:ietf:params:acme:error:badNonce', detail: 'again' });
      return true;
    };
    await serve(make(), listener());
    await untilTold('certificate-failed');
    expect(told.at(-1)?.message).toContain('badNonce: again');
    expect(authority.to('/account')).toHaveLength(10);
  });
});

test('a source that is paused asks nothing until it begins again', async () => {
  const { make, listener, serve, untilTold, authority } = await setUp();
  authority.interfere = ({ path }) => path === '/directory';
  const source = make();
  await serve(source, listener());
  await until('it is asked', () => authority.asked.length > 0, LONG_MS, 5);
  await source.pause();
  const { length } = authority.asked;
  authority.interfere = () => false;
  await new Promise<void>((resolve) => systemClock.after(200, resolve));
  expect(authority.asked).toHaveLength(length);
  source.begin();
  await untilTold('certificate-issued');
});

function iso(clock: VirtualClock, days: number): string {
  return new Date(Math.trunc(clock.wall() / 1000) * 1000 - clock.now() + days * DAY).toISOString();
}
