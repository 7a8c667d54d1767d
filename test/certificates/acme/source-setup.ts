import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AcmeSource } from '../../../src/certificates/acme/acme-source.ts';
import { FileSource } from '../../../src/certificates/file-source.ts';
import type { CertificateNews, EdgeListener } from '../../../src/model/certificates.ts';
import type { ListenSettings } from '../../../src/model/settings.ts';
import type { SharedSecrets } from '../../../src/model/shared-secrets.ts';
import type { AcmeSettings, CertificateFiles } from '../../../src/model/tls-settings.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { listenSettings } from '../../support/listen-settings.ts';
import { until } from '../../support/until.ts';
import { FakeAuthority } from './fake-authority.ts';

export const HOST = 'shop.test';
export const DAY = 86_400_000;
export const LONG_MS = 60_000;

/** A source over an authority of its own; what it applies is kept. Time passes when told to. */
export async function setUp() {
  const authority = await FakeAuthority.start();
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-acme-'));
  // Certificates are of now.
  const clock = new VirtualClock(Date.now());
  const told: CertificateNews[] = [];
  const applied: EdgeListener[][] = [];
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, authority.own.cert);
  /** @param shared what it has in common with others @param state its state directory */
  const make = (shared?: SharedSecrets, state = join(folder, 'state')) => {
    const tell = (news: CertificateNews) => void told.push(news);
    const files = new FileSource({ shared, clock, tell, warn: () => undefined, onChange: () => undefined });
    const apply = async () => void applied.push(await source.renew());
    const source: AcmeSource = new AcmeSource({
      files,
      shared,
      folder: state,
      clock,
      tell,
      warn: () => undefined,
      apply,
      random: () => 0,
    });
    onTestFinished(() => source.close());
    return source;
  };
  onTestFinished(async () => {
    await authority.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const listener = (change: Partial<AcmeSettings> = {}, certificates: CertificateFiles[] = []): ListenSettings => {
    const acme: AcmeSettings = {
      directory: `${authority.url}/directory`,
      email: undefined,
      challenge: 'http-01',
      profile: undefined,
      eab: undefined,
      ca,
      hosts: [HOST],
      ...change,
    };
    const tls = {
      certificates,
      acme,
      names: [],
      minVersion: '1.2' as const,
      strictSni: false,
      tickets: true,
      ciphers: [],
      curves: [],
      clientAuth: undefined,
    };
    return { ...listenSettings(), tls };
  };
  /** Serves these listeners, as the program does. */
  const serve = async (source: AcmeSource, ...listeners: ListenSettings[]) => {
    const equipped = await source.equip(listeners);
    source.follow(listeners);
    source.begin();
    return equipped;
  };
  /** Timers that are due now fire only when time passes. */
  const hasTold = (type: CertificateNews['type'], count: number): boolean => {
    clock.advance(1);
    return told.filter((news) => news.type === type).length >= count;
  };
  const untilTold = (type: CertificateNews['type'], count = 1) =>
    until(type, () => hasTold(type, count), LONG_MS, 5).catch((error) => {
      const seen = authority.asked.map(({ method, path }) => `${method} ${path}`);
      throw new Error([error.message, ...told.map(({ message }) => message), ...seen].join('\n'));
    });
  const served = () => applied.at(-1)?.[0]?.tls?.certificates ?? [];
  return { authority, clock, folder, told, applied, make, listener, serve, untilTold, served };
}
