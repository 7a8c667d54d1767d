import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FileSource } from '../../src/certificates/file-source.ts';
import type { CertificateNews, TicketKeysView } from '../../src/model/certificates.ts';
import type { ListenSettings } from '../../src/model/settings.ts';
import type { CertificateFiles } from '../../src/model/tls-settings.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { type Made, makeCertificate } from '../support/certificates.ts';
import { listenSettings } from '../support/listen-settings.ts';
import { until } from '../support/until.ts';

const [a, b, c] = [makeCertificate({ names: ['a.test'] }), makeCertificate({ names: ['b.test'] }), makeCertificate()];
const HOUR = 3_600_000;

/** A source over a folder of its own, on virtual time. */
function setUp(ticketKeys?: TicketKeysView) {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-certificates-'));
  const clock = new VirtualClock();
  const told: CertificateNews[] = [];
  let changes = 0;
  const source = new FileSource({
    clock,
    ticketKeys,
    tell: (news) => told.push(news),
    warn: () => undefined,
    onChange: () => changes++,
  });
  onTestFinished(() => {
    source.close();
    rmSync(folder, { recursive: true });
  });
  const at = (name: string) => join(folder, name);
  const put = (name: string, { cert, key }: Made) => writeFileSync(at(name), cert + key, { mode: 0o600 });
  const listener = (...names: string[]): ListenSettings =>
    listener_(names.map((name) => ({ cert: at(name), key: undefined, folder: undefined })));
  const folderListener = () => listener_([{ cert: undefined, key: undefined, folder }]);
  const listener_ = (certificates: CertificateFiles[]): ListenSettings => ({
    ...listenSettings(),
    tls: {
      certificates,
      acme: undefined,
      minVersion: '1.2',
      strictSni: false,
      tickets: true,
      ciphers: [],
      curves: [],
      names: [],
      clientAuth: undefined,
    },
  });
  /** Lets the files be looked at until this holds. */
  const passUntil = (what: string, holds: () => boolean) =>
    until(what, () => {
      clock.advance(1000);
      return holds();
    });
  const names = async (...listeners: ListenSettings[]) =>
    (await source.equip(listeners)).map(({ tls }) => tls?.certificates.flatMap((each) => each.names));
  return { source, clock, at, put, listener, folderListener, told, names, passUntil, changes: () => changes };
}

describe('a folder', () => {
  test('is read in the order of its names, whatever way its keys are laid', async () => {
    const { at, put, folderListener, names } = setUp();
    put('2.pem', b);
    await writeFile(at('1.crt'), a.cert);
    await writeFile(at('1.key'), a.key);
    await mkdir(at('3'));
    await writeFile(at('3/fullchain.pem'), c.cert);
    await writeFile(at('3/privkey.pem'), c.key);
    await writeFile(at('README'), 'none of them');
    expect(await names(folderListener())).toEqual([['a.test', 'b.test', 'app.test']]);
  });

  test('that holds one broken pair serves the others, and says it once', async () => {
    const { at, put, folderListener, names, told } = setUp();
    put('a.pem', a);
    await writeFile(at('b.pem'), b.cert);
    expect(await names(folderListener())).toEqual([['a.test']]);
    await names(folderListener());
    expect(told.map(({ type, message }) => `${type} ${message}`)).toEqual([
      `certificate-refused ${at('b.pem')}: holds no private key: put it into the file, or name its file as key`,
    ]);
  });

  test('from which a file is taken serves it no more', async () => {
    const { at, put, folderListener, names } = setUp();
    put('a.pem', a);
    put('b.pem', b);
    expect(await names(folderListener())).toEqual([['a.test', 'b.test']]);
    await rm(at('a.pem'));
    expect(await names(folderListener())).toEqual([['b.test']]);
  });

  test('where nothing can be used is an error that names what is wrong', async () => {
    const { folderListener, names } = setUp();
    await expect(names(folderListener())).rejects.toMatchObject({
      code: 'CERTIFICATE_UNUSABLE',
      message: expect.stringMatching(/^cannot end TLS on 127\.0\.0\.1:0: .*: holds no certificates$/),
    });
  });
});

describe('files that change', () => {
  test('are noticed once they rest, and what they hold is told', async () => {
    const { source, put, listener, told, names, passUntil, changes } = setUp();
    put('site.pem', a);
    await names(listener('site.pem'));
    source.follow([listener('site.pem')]);
    put('site.pem', b);
    await passUntil('a change', () => changes() === 1);
    const [renewed] = await source.renew();
    expect(renewed?.tls?.certificates[0]?.names).toEqual(['b.test']);
    expect(told).toMatchObject([{ type: 'certificate-changed', message: expect.stringContaining('b.test') }]);
  });

  test('are noticed behind links, too', async () => {
    const { source, at, put, listener, names, passUntil, changes } = setUp();
    put('one.pem', a);
    put('two.pem', b);
    await symlink(at('one.pem'), at('site.pem'));
    await names(listener('site.pem'));
    source.follow([listener('site.pem')]);
    await symlink(at('two.pem'), at('next'));
    await rename(at('next'), at('site.pem'));
    await passUntil('a change', () => changes() === 1);
    expect((await source.renew())[0]?.tls?.certificates[0]?.names).toEqual(['b.test']);
  });

  test('that cannot be used keep what was there, until they can', async () => {
    const { put, at, listener, names, told, source } = setUp();
    put('site.pem', a);
    expect(await names(listener('site.pem'))).toEqual([['a.test']]);
    await writeFile(at('site.pem'), a.cert + b.key);
    for (let i = 0; i < 3; i++) expect(await names(listener('site.pem'))).toEqual([['a.test']]);
    expect(told.map(({ message }) => message)).toEqual([
      `${at('site.pem')}: the key in it is not that of its first certificate: what was there before is served on`,
    ]);
    await rm(at('site.pem'));
    expect(await names(listener('site.pem'))).toEqual([['a.test']]);
    expect(told.at(-1)?.message).toBe(`${at('site.pem')}: no such file: what was there before is served on`);
    put('site.pem', b);
    expect(await names(listener('site.pem'))).toEqual([['b.test']]);
    expect(source.facts.map(({ name }) => name)).toEqual(['b.test']);
  });

  test('of listeners that are followed no more are no matter', async () => {
    const { source, put, listener, names, clock, changes } = setUp();
    put('site.pem', a);
    await names(listener('site.pem'));
    source.follow([listener('site.pem')]);
    source.follow([]);
    put('site.pem', b);
    clock.advance(60_000);
    expect(clock.pending).toBe(0);
    expect(changes()).toBe(0);
  });
});

describe('the keys of session tickets', () => {
  test('are the same for all listeners, and replaced after 12 hours', async () => {
    const { source, put, listener, clock, passUntil, changes } = setUp();
    put('site.pem', a);
    const [one, other] = await source.equip([listener('site.pem'), listener('site.pem')]);
    expect(Buffer.from(one?.tls?.ticketKeys ?? '', 'base64')).toHaveLength(48);
    expect(other?.tls?.ticketKeys).toBe(one?.tls?.ticketKeys);
    source.follow([listener('site.pem')]);
    clock.advance(11 * HOUR);
    await passUntil('a look', () => clock.pending > 0);
    expect(changes()).toBe(0);
    clock.advance(HOUR);
    await passUntil('a change', () => changes() === 1);
    const [next] = await source.renew();
    expect(next?.tls?.ticketKeys).not.toBe(one?.tls?.ticketKeys);
  });

  test('are replaced however often listeners change: that delays no look', async () => {
    const { source, put, listener, clock, changes } = setUp();
    put('site.pem', a);
    await source.equip([listener('site.pem')]);
    source.follow([listener('site.pem')]);
    clock.advance(12 * HOUR - 2000);
    await until('a look', () => clock.pending > 0);
    await until('a change', () => {
      source.follow([listener('site.pem')]);
      clock.advance(1000);
      return changes() === 1;
    });
  });

  test('are those of the process before, where they are sound', async () => {
    const keys = Buffer.alloc(48, 3).toString('base64');
    expect(setUp({ keys, madeAt: new VirtualClock().wall() }).source.ticketKeys.keys).toBe(keys);
    expect(setUp({ keys: 'short', madeAt: 0 }).source.ticketKeys.keys).not.toBe('short');
  });
});
